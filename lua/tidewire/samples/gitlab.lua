--- Samples of gitlab, in the shape of its documented payloads (tidewire.samples).
return {
  push = [[{"object_kind":"push","event_name":"push","ref":"refs/heads/main",]]
    .. [["before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":"%SHA%","user_username":"ann",]]
    .. [["total_commits_count":1,"commits":[{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Say hello",]]
    .. [["author":{"name":"Ann","email":"ann@example.com"}}],"project":{"id":7,"name":"hello",]]
    .. [["path_with_namespace":"acme/hello","web_url":"https://gitlab.example.com/acme/hello","default_branch":"main"}}]],
  merge_request = [[{"object_kind":"merge_request","event_type":"merge_request","user":{"username":"ann"},]]
    .. [["object_attributes":{"id":%NUMBER%,"iid":1,"title":"Say it louder","state":"opened","action":"open",]]
    .. [["source_branch":"louder","target_branch":"main"},"project":{"id":7,"name":"hello",]]
    .. [["path_with_namespace":"acme/hello","web_url":"https://gitlab.example.com/acme/hello","default_branch":"main"}}]],
  issue = [[{"object_kind":"issue","event_type":"issue","user":{"username":"ann"},"object_attributes":{"id":%NUMBER%,]]
    .. [["iid":23,"title":"Spelling of hello","state":"opened","action":"open"},"project":{"id":7,"name":"hello",]]
    .. [["path_with_namespace":"acme/hello","web_url":"https://gitlab.example.com/acme/hello","default_branch":"main"}}]],
  pipeline = [[{"object_kind":"pipeline","object_attributes":{"id":%NUMBER%,"ref":"main","status":"success",]]
    .. [["duration":63},"user":{"username":"ann"},"project":{"id":7,"name":"hello","path_with_namespace":"acme/hello",]]
    .. [["web_url":"https://gitlab.example.com/acme/hello","default_branch":"main"},"builds":[]}]],
}
