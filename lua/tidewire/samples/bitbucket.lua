--- Samples of bitbucket, in the shape of its documented payloads (tidewire.samples).
return {
  ["repo:push"] = [[{"push":{"changes":[{"new":{"type":"branch","name":"main","target":{"hash":"%SHA%",]]
    .. [["message":"Say hello"}},"old":null,"created":true,"closed":false,"forced":false}]},]]
    .. [["repository":{"type":"repository","full_name":"acme/hello","name":"hello",]]
    .. [["uuid":"{673a6070-3421-46c9-9d48-90745f7bfe8e}"},"actor":{"type":"user","display_name":"Ann","nickname":"ann"}}]],
  ["pullrequest:created"] = [[{"pullrequest":{"id":%NUMBER%,"title":"Say it louder","state":"OPEN",]]
    .. [["source":{"branch":{"name":"louder"}},"destination":{"branch":{"name":"main"}}},]]
    .. [["repository":{"type":"repository","full_name":"acme/hello","name":"hello",]]
    .. [["uuid":"{673a6070-3421-46c9-9d48-90745f7bfe8e}"},"actor":{"type":"user","display_name":"Ann","nickname":"ann"}}]],
  ["issue:created"] = [[{"issue":{"id":%NUMBER%,"title":"Spelling of hello","state":"new","priority":"minor"},]]
    .. [["repository":{"type":"repository","full_name":"acme/hello","name":"hello",]]
    .. [["uuid":"{673a6070-3421-46c9-9d48-90745f7bfe8e}"},"actor":{"type":"user","display_name":"Ann","nickname":"ann"}}]],
  ["repo:refs_changed"] = [[{"eventKey":"repo:refs_changed","date":"2026-11-20T10:14:02+0100","actor":{"name":"ann",]]
    .. [["emailAddress":"ann@example.com","displayName":"Ann"},"repository":{"slug":"hello","id":84,]]
    .. [["project":{"key":"ACME"}},"changes":[{"ref":{"id":"refs/heads/main","displayId":"main","type":"BRANCH"},]]
    .. [["fromHash":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","toHash":"%SHA%","type":"UPDATE"}]}]],
}
