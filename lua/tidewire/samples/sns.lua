--- Samples of sns, in the shape of its documented messages (tidewire.samples).
local common = [["TopicArn":"arn:aws:sns:us-east-1:123456789012:orders","Timestamp":"%TIME%","SignatureVersion":"2",]]
  .. [["Signature":"-","SigningCertURL":"https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"]]
local subscribe = [["Token":"%HEX%%HEX%","SubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription]]
  .. [[&TopicArn=arn:aws:sns:us-east-1:123456789012:orders&Token=%HEX%"]]

local function message(members)
  return { body = "{" .. members .. "," .. common .. "}", content_type = "text/plain; charset=UTF-8", headers = false }
end

return {
  Notification = message [["Type":"Notification","MessageId":"%ID%","Subject":"An order","Message":"{\"order\":42}"]],
  SubscriptionConfirmation = message([["Type":"SubscriptionConfirmation","MessageId":"%ID%",]]
    .. [["Message":"You have chosen to subscribe to the topic.",]] .. subscribe),
  UnsubscribeConfirmation = message([["Type":"UnsubscribeConfirmation","MessageId":"%ID%",]]
    .. [["Message":"You have chosen to deactivate the subscription.",]] .. subscribe),
}
