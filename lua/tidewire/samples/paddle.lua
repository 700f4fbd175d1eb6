--- Samples of paddle, in the shape of its documented payloads (tidewire.samples).
return {
  ["transaction.completed"] = [[{"event_id":"evt_%HEX%","event_type":"transaction.completed","occurred_at":"%TIME%",]]
    .. [["notification_id":"ntf_%HEX%","data":{"id":"txn_1","status":"completed","customer_id":"ctm_1",]]
    .. [["currency_code":"EUR","details":{"totals":{"total":"1990"}}}}]],
  ["subscription.created"] = [[{"event_id":"evt_%HEX%","event_type":"subscription.created","occurred_at":"%TIME%",]]
    .. [["notification_id":"ntf_%HEX%","data":{"id":"sub_1","status":"active","customer_id":"ctm_1",]]
    .. [["items":[{"price":{"id":"pri_1"},"quantity":1}]}}]],
  ["customer.created"] = [[{"event_id":"evt_%HEX%","event_type":"customer.created","occurred_at":"%TIME%",]]
    .. [["notification_id":"ntf_%HEX%","data":{"id":"ctm_1","email":"ann@example.com","name":"Ann"}}]],
}
