--- Samples of hubspot, in the shape of its documented payloads (tidewire.samples).
return {
  ["contact.creation"] = [[[{"eventId":%NUMBER%,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":%NOW_MS%,]]
    .. [["subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeFlag":"NEW",]]
    .. [=["changeSource":"CRM_UI"}]]=],
  ["contact.propertyChange"] = [[[{"eventId":%NUMBER%,"subscriptionId":25,"portalId":33,"appId":1160452,]]
    .. [["occurredAt":%NOW_MS%,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":123,]]
    .. [=["propertyName":"email","propertyValue":"ann@example.com","changeSource":"CRM_UI"}]]=],
  ["deal.creation"] = [[[{"eventId":%NUMBER%,"subscriptionId":25,"portalId":33,"appId":1160452,"occurredAt":%NOW_MS%,]]
    .. [=["subscriptionType":"deal.creation","attemptNumber":0,"objectId":123,"changeFlag":"NEW","changeSource":"CRM_UI"}]]=],
}
