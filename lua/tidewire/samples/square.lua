--- Samples of square, in the shape of its documented payloads (tidewire.samples).
return {
  ["payment.created"] = [[{"merchant_id":"MLEFBHHSJGVHD","type":"payment.created","event_id":"%ID%",]]
    .. [["created_at":"%TIME%","data":{"type":"payment","id":"1","object":{"payment":{"id":"1","status":"APPROVED",]]
    .. [["amount_money":{"amount":1990,"currency":"EUR"}}}}}]],
  ["payment.updated"] = [[{"merchant_id":"MLEFBHHSJGVHD","type":"payment.updated","event_id":"%ID%",]]
    .. [["created_at":"%TIME%","data":{"type":"payment","id":"1","object":{"payment":{"id":"1","status":"COMPLETED",]]
    .. [["amount_money":{"amount":1990,"currency":"EUR"}}}}}]],
  ["customer.created"] = [[{"merchant_id":"MLEFBHHSJGVHD","type":"customer.created","event_id":"%ID%",]]
    .. [["created_at":"%TIME%","data":{"type":"customer","id":"1","object":{"customer":{"id":"1",]]
    .. [["email_address":"ann@example.com"}}}}]],
}
