--- Samples of paypal, in the shape of its documented payloads (tidewire.samples).
local headers = { ["Paypal-Cert-Url"] = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-0123456789",
  ["Paypal-Auth-Algo"] = "SHA256withRSA" }

local function event(kind, resource)
  return { body = [[{"id":"WH-%HEX%","event_version":"1.0","create_time":"%TIME%",]]
    .. kind .. [[,"resource":{]] .. resource .. "}}",
    headers = headers }
end

return {
  ["PAYMENT.CAPTURE.COMPLETED"] = event([["event_type":"PAYMENT.CAPTURE.COMPLETED","resource_type":"capture"]],
    [["id":"%NUMBER%","status":"COMPLETED","amount":{"currency_code":"EUR","value":"12.50"}]]),
  ["PAYMENT.CAPTURE.REFUNDED"] = event([["event_type":"PAYMENT.CAPTURE.REFUNDED","resource_type":"refund"]],
    [["id":"%NUMBER%","status":"COMPLETED","amount":{"currency_code":"EUR","value":"12.50"}]]),
  ["CHECKOUT.ORDER.APPROVED"] = event([["event_type":"CHECKOUT.ORDER.APPROVED","resource_type":"checkout-order"]],
    [["id":"%NUMBER%","intent":"CAPTURE","status":"APPROVED","payer":{"email_address":"ann@example.com"}]]),
}
