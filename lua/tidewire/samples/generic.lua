--- Samples for routes with a `verify` of their own (tidewire.samples).
return {
  ["customer.created"] = [[{"id":"%ID%","type":"customer.created","amount":0,"customer":{"id":"cus_1"}}]],
  ["invoice.paid"] = [[{"id":"%ID%","type":"invoice.paid","amount":1990,"customer":{"id":"cus_1"}}]],
  ["invoice.large"] = [[{"id":"%ID%","type":"invoice.large","amount":20000,"customer":{"id":"cus_1"}}]],
  ["page.view"] = [[{"id":"%ID%","type":"page.view","amount":0,"page":"/hello"}]],
}
