--- AWS SNS over HTTPS. Source: providers.md, row AWS SNS; aws-js-sns-message-validator. AWS signs the messages of every topic of
-- everybody: the topic is what says whose they are. Its certificates do not carry the ones between them and an authority; that
-- one lies on a host of AWS is what vouches for it. 1h: SNS tries for as long as that, and the time is that of the first try.
local certificate = {
  url = "body.SigningCertURL", hosts = { "sns.*.amazonaws.com", "sns.*.amazonaws.com.cn" }, path_end = ".pem",
}

return {
  verify = function(options)
    return {
      scheme = "rsa", field = "body.Signature", encoding = "base64", signed = "{sns}", certificate = certificate,
      timestamp = "body.Timestamp", timestamp_format = "rfc3339", max_age = "1h",
      topics = options.topic, allow_sha1 = options.allow_sha1,
    }
  end,
  options = { topic = true, allow_sha1 = false, max_age = false },
  content = "json", -- it comes as text/plain
  type = "body.Type",
  id = "body.MessageId",
  handshake = {
    { when = { ["body.Type"] = "SubscriptionConfirmation" }, ask = "body.SubscribeURL", reply = { status = 200, body = "" } },
  },
  types = { "Notification", "UnsubscribeConfirmation" },
}
