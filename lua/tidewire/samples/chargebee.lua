--- Samples of chargebee, in the shape of its documented payloads (tidewire.samples).
return {
  subscription_created = [[{"id":"ev_%HEX%","occurred_at":%NOW%,"source":"api","object":"event","api_version":"v2",]]
    .. [["webhook_status":"scheduled","event_type":"subscription_created","content":{"subscription":{"id":"1mbDXdQP",]]
    .. [["status":"active","plan_amount":1990,"currency_code":"EUR"},"customer":{"id":"1mbDX",]]
    .. [["email":"ann@example.com"}}}]],
  subscription_cancelled = [[{"id":"ev_%HEX%","occurred_at":%NOW%,"source":"api","object":"event","api_version":"v2",]]
    .. [["webhook_status":"scheduled","event_type":"subscription_cancelled","content":{"subscription":{"id":"1mbDXdQP",]]
    .. [["status":"cancelled"},"customer":{"id":"1mbDX","email":"ann@example.com"}}}]],
  payment_failed = [[{"id":"ev_%HEX%","occurred_at":%NOW%,"source":"api","object":"event","api_version":"v2",]]
    .. [["webhook_status":"scheduled","event_type":"payment_failed","content":{"transaction":{"id":"txn_1",]]
    .. [["status":"failure","amount":1990,"currency_code":"EUR"},"customer":{"id":"1mbDX","email":"ann@example.com"}}}]],
}
