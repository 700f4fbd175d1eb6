--- Samples of stripe, in the shape of its documented payloads (tidewire.samples).
return {
  ["invoice.paid"] = [[{"id":"evt_%ID%","object":"event","api_version":"2026-10-29","created":%NOW%,]]
    .. [["type":"invoice.paid","livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},]]
    .. [["data":{"object":{"id":"in_%HEX%","object":"invoice","customer":"cus_1","customer_email":"ann@example.com",]]
    .. [["currency":"eur","amount_due":1990,"amount_paid":1990,"status":"paid",]]
    .. [["hosted_invoice_url":"https://pay.example.com/in_1","lines":{"object":"list","data":[]}}}}]],
  ["invoice.payment_failed"] = [[{"id":"evt_%ID%","object":"event","api_version":"2026-10-29","created":%NOW%,]]
    .. [["type":"invoice.payment_failed","livemode":false,"pending_webhooks":1,"request":{"id":null,]]
    .. [["idempotency_key":null},"data":{"object":{"id":"in_%HEX%","object":"invoice","customer":"cus_1",]]
    .. [["customer_email":"ann@example.com","currency":"eur","amount_due":1990,"amount_paid":0,"status":"open",]]
    .. [["hosted_invoice_url":"https://pay.example.com/in_1","lines":{"object":"list","data":[]}}}}]],
  ["customer.created"] = [[{"id":"evt_%ID%","object":"event","api_version":"2026-10-29","created":%NOW%,]]
    .. [["type":"customer.created","livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},]]
    .. [["data":{"object":{"id":"cus_1","object":"customer","email":"ann@example.com","name":"Ann"}}}]],
  ["checkout.session.completed"] = [[{"id":"evt_%ID%","object":"event","api_version":"2026-10-29","created":%NOW%,]]
    .. [["type":"checkout.session.completed","livemode":false,"pending_webhooks":1,"request":{"id":null,]]
    .. [["idempotency_key":null},"data":{"object":{"id":"cs_1","object":"checkout.session","customer":"cus_1",]]
    .. [["amount_total":1990,"currency":"eur","payment_status":"paid"}}}]],
}
