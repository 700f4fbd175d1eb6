--- Samples of jira, in the shape of its documented payloads (tidewire.samples).
return {
  ["jira:issue_created"] = [[{"timestamp":%NOW_MS%,"webhookEvent":"jira:issue_created","user":{"accountId":"99:27935d01",]]
    .. [["displayName":"Ann"},"issue_event_type_name":"issue_created","issue":{"id":"%NUMBER%","key":"HEL-1",]]
    .. [["fields":{"summary":"Spelling of hello","status":{"name":"To Do"},"priority":{"name":"Medium"},"labels":[]}}}]],
  ["jira:issue_updated"] = [[{"timestamp":%NOW_MS%,"webhookEvent":"jira:issue_updated","user":{"accountId":"99:27935d01",]]
    .. [["displayName":"Ann"},"issue":{"id":"%NUMBER%","key":"HEL-1","fields":{"summary":"Spelling of hello",]]
    .. [["status":{"name":"Done"},"priority":{"name":"Medium"},"labels":[]}},"changelog":{"id":"10124",]]
    .. [["items":[{"field":"status","fromString":"To Do","toString":"Done"}]}}]],
  comment_created = [[{"timestamp":%NOW_MS%,"webhookEvent":"comment_created","user":{"accountId":"99:27935d01",]]
    .. [["displayName":"Ann"},"issue":{"id":"%NUMBER%","key":"HEL-1","fields":{"summary":"Spelling of hello",]]
    .. [["status":{"name":"To Do"},"priority":{"name":"Medium"},"labels":[]}},"comment":{"id":"252789","body":"Seen.",]]
    .. [["author":{"displayName":"Ann"}}}]],
}
