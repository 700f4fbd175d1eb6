--- Samples of clerk, in the shape of its documented payloads (tidewire.samples).
return {
  ["user.created"] = [[{"object":"event","type":"user.created","timestamp":%NOW_MS%,"instance_id":"ins_1",]]
    .. [["data":{"id":"user_1","object":"user","first_name":"Ann",]]
    .. [["email_addresses":[{"email_address":"ann@example.com"}]}}]],
  ["user.deleted"] = [[{"object":"event","type":"user.deleted","timestamp":%NOW_MS%,"instance_id":"ins_1",]]
    .. [["data":{"id":"user_1","object":"user","deleted":true}}]],
  ["session.created"] = [[{"object":"event","type":"session.created","timestamp":%NOW_MS%,"instance_id":"ins_1",]]
    .. [["data":{"id":"sess_1","object":"session","user_id":"user_1","status":"active"}}]],
}
