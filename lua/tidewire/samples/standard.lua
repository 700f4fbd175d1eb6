--- Samples of standard, in the shape of its documented payloads (tidewire.samples).
return {
  ["invoice.paid"] = [[{"type":"invoice.paid","timestamp":"%TIME%","data":{"id":"in_1","customer":"cus_1",]]
    .. [["email":"ann@example.com","amount":1990,"currency":"eur"}}]],
  ["invoice.payment_failed"] = [[{"type":"invoice.payment_failed","timestamp":"%TIME%","data":{"id":"in_2",]]
    .. [["customer":"cus_1","email":"ann@example.com","amount":1990,"currency":"eur"}}]],
  ["customer.created"] = [[{"type":"customer.created","timestamp":"%TIME%","data":{"id":"cus_1","email":"ann@example.com"}}]],
}
