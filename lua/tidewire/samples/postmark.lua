--- Samples of postmark, in the shape of its documented payloads (tidewire.samples).
return {
  Delivery = [[{"RecordType":"Delivery","MessageStream":"outbound","ServerID":23,"MessageID":"%ID%",]]
    .. [["Recipient":"ann@example.com","DeliveredAt":"%TIME%","Details":"250 OK","Tag":"welcome"}]],
  Bounce = [[{"RecordType":"Bounce","MessageStream":"outbound","ServerID":23,"MessageID":"%ID%","ID":%NUMBER%,]]
    .. [["Type":"HardBounce","TypeCode":1,"Email":"ann@example.com","BouncedAt":"%TIME%","Description":"no such user"}]],
  Open = [[{"RecordType":"Open","MessageStream":"outbound","MessageID":"%ID%","Recipient":"ann@example.com",]]
    .. [["FirstOpen":true,"ReceivedAt":"%TIME%","Platform":"Desktop"}]],
}
