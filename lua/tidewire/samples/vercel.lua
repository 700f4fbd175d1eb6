--- Samples of vercel, in the shape of its documented payloads (tidewire.samples).
return {
  ["deployment.created"] = [[{"id":"evt_%HEX%","type":"deployment.created","createdAt":%NOW_MS%,"region":"fra1",]]
    .. [["payload":{"team":{"id":"team_1"},"user":{"id":"usr_1"},"project":{"id":"prj_1"},"deployment":{"id":"dpl_1",]]
    .. [["name":"hello","url":"hello.example.com"}}}]],
  ["deployment.succeeded"] = [[{"id":"evt_%HEX%","type":"deployment.succeeded","createdAt":%NOW_MS%,"region":"fra1",]]
    .. [["payload":{"team":{"id":"team_1"},"user":{"id":"usr_1"},"project":{"id":"prj_1"},"deployment":{"id":"dpl_1",]]
    .. [["name":"hello","url":"hello.example.com"},"target":"production"}}]],
  ["deployment.error"] = [[{"id":"evt_%HEX%","type":"deployment.error","createdAt":%NOW_MS%,"region":"fra1",]]
    .. [["payload":{"team":{"id":"team_1"},"user":{"id":"usr_1"},"project":{"id":"prj_1"},"deployment":{"id":"dpl_1",]]
    .. [["name":"hello","url":"hello.example.com"}}}]],
}
