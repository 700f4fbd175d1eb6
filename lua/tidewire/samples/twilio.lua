--- Samples of twilio, in the shape of its documented payloads (tidewire.samples).
return {
  received = {
    content_type = "application/x-www-form-urlencoded",
    body = [[ToCountry=DE&SmsMessageSid=SM%HEX%&NumMedia=0&SmsSid=SM%HEX%&SmsStatus=received&Body=Hello+there&]]
      .. [[To=%2B4915700000001&MessageSid=SM%HEX%&AccountSid=AC00000000000000000000000000000000&From=%2B4915700000002&]]
      .. [[ApiVersion=2010-04-01]],
  },
  delivered = {
    content_type = "application/x-www-form-urlencoded",
    body = [[SmsSid=SM%HEX%&SmsStatus=delivered&MessageStatus=delivered&To=%2B4915700000002&MessageSid=SM%HEX%&]]
      .. [[AccountSid=AC00000000000000000000000000000000&From=%2B4915700000001&ApiVersion=2010-04-01]],
  },
  ringing = {
    content_type = "application/x-www-form-urlencoded",
    body = [[CallSid=CA%HEX%&AccountSid=AC00000000000000000000000000000000&From=%2B4915700000002&To=%2B4915700000001&]]
      .. [[CallStatus=ringing&Direction=inbound&ApiVersion=2010-04-01]],
  },
  onMessageAdded = [[{"EventType":"onMessageAdded","ConversationSid":"CH%HEX%","MessageSid":"IM%HEX%",]]
    .. [["AccountSid":"AC00000000000000000000000000000000","Author":"ann","Body":"Hello"}]],
}
