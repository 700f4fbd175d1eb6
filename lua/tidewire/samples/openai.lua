--- Samples of openai, in the shape of its documented payloads (tidewire.samples).
return {
  ["response.completed"] = [[{"id":"evt_%HEX%","object":"event","created_at":%NOW%,"type":"response.completed",]]
    .. [["data":{"id":"resp_1"}}]],
  ["response.failed"] = [[{"id":"evt_%HEX%","object":"event","created_at":%NOW%,"type":"response.failed",]]
    .. [["data":{"id":"resp_2"}}]],
  ["batch.completed"] = [[{"id":"evt_%HEX%","object":"event","created_at":%NOW%,"type":"batch.completed",]]
    .. [["data":{"id":"batch_1"}}]],
}
