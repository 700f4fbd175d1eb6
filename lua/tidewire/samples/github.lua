--- Samples of github, in the shape of its documented payloads (tidewire.samples).
return {
  push = [[{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"%SHA%","created":false,]]
    .. [["deleted":false,"forced":false,"repository":{"id":186853002,"name":"hello","full_name":"acme/hello",]]
    .. [["private":false,"html_url":"https://github.example.com/acme/hello","default_branch":"main",]]
    .. [["owner":{"login":"acme","id":21031067}},"pusher":{"name":"ann","email":"ann@example.com"},]]
    .. [["sender":{"login":"ann","id":%NUMBER%,"type":"User"},]]
    .. [["commits":[{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Say hello\n\nTo everybody.",]]
    .. [["timestamp":"2026-11-20T10:14:02+01:00","distinct":true,]]
    .. [["url":"https://github.example.com/acme/hello/commit/0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",]]
    .. [["author":{"name":"Ann","email":"ann@example.com","username":"ann"},]]
    .. [["committer":{"name":"Ann","email":"ann@example.com","username":"ann"},]]
    .. [["added":["hello.txt"],"removed":[],"modified":[]}],]]
    .. [["compare":"https://github.example.com/acme/hello/compare/6113728f27ae...0d1a26e67d8f",]]
    .. [["head_commit":{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Say hello\n\nTo everybody.",]]
    .. [["timestamp":"2026-11-20T10:14:02+01:00","distinct":true,]]
    .. [["url":"https://github.example.com/acme/hello/commit/0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",]]
    .. [["author":{"name":"Ann","email":"ann@example.com","username":"ann"},]]
    .. [["committer":{"name":"Ann","email":"ann@example.com","username":"ann"},]]
    .. [["added":["hello.txt"],"removed":[],"modified":[]}}]],
  ping = [[{"zen":"Keep it small.","hook_id":%NUMBER%,"hook":{"type":"Repository","id":109948940,"events":["push"]},]]
    .. [["repository":{"id":186853002,"name":"hello","full_name":"acme/hello","private":false,]]
    .. [["html_url":"https://github.example.com/acme/hello","default_branch":"main","owner":{"login":"acme",]]
    .. [["id":21031067}},"sender":{"login":"ann","id":%NUMBER%,"type":"User"}}]],
  star = [[{"action":"created","starred_at":"2026-11-20T09:14:02Z","repository":{"id":186853002,"name":"hello",]]
    .. [["full_name":"acme/hello","private":false,"html_url":"https://github.example.com/acme/hello",]]
    .. [["default_branch":"main","owner":{"login":"acme","id":21031067}},"sender":{"login":"ann","id":%NUMBER%,]]
    .. [["type":"User"}}]],
  issues = [[{"action":"opened","issue":{"number":1,"title":"Spelling of hello","state":"open","labels":[],"body":null,]]
    .. [["user":{"login":"ann","id":21031068}},"repository":{"id":186853002,"name":"hello","full_name":"acme/hello",]]
    .. [["private":false,"html_url":"https://github.example.com/acme/hello","default_branch":"main",]]
    .. [["owner":{"login":"acme","id":21031067}},"sender":{"login":"ann","id":%NUMBER%,"type":"User"}}]],
  pull_request = [[{"action":"opened","number":2,"pull_request":{"number":2,"title":"Say it louder","state":"open",]]
    .. [["draft":false,"merged":false,"user":{"login":"ann","id":21031068}},"repository":{"id":186853002,]]
    .. [["name":"hello","full_name":"acme/hello","private":false,"html_url":"https://github.example.com/acme/hello",]]
    .. [["default_branch":"main","owner":{"login":"acme","id":21031067}},"sender":{"login":"ann","id":%NUMBER%,]]
    .. [["type":"User"}}]],
}
