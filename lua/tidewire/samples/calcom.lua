--- Samples of calcom, in the shape of its documented payloads (tidewire.samples).
return {
  BOOKING_CREATED = [[{"triggerEvent":"BOOKING_CREATED","createdAt":"%TIME%","payload":{"uid":"%HEX%","title":"Hello",]]
    .. [["type":"30min","status":"ACCEPTED","startTime":"2026-11-25T10:00:00Z","endTime":"2026-11-25T10:30:00Z",]]
    .. [["attendees":[{"name":"Ann","email":"ann@example.com","timeZone":"Europe/Berlin"}]}}]],
  BOOKING_RESCHEDULED = [[{"triggerEvent":"BOOKING_RESCHEDULED","createdAt":"%TIME%","payload":{"uid":"%HEX%",]]
    .. [["title":"Hello","type":"30min","status":"ACCEPTED","startTime":"2026-11-25T10:00:00Z",]]
    .. [["endTime":"2026-11-25T10:30:00Z","attendees":[{"name":"Ann","email":"ann@example.com",]]
    .. [["timeZone":"Europe/Berlin"}]}}]],
  BOOKING_CANCELLED = [[{"triggerEvent":"BOOKING_CANCELLED","createdAt":"%TIME%","payload":{"uid":"%HEX%",]]
    .. [["title":"Hello","type":"30min","status":"CANCELLED","startTime":"2026-11-25T10:00:00Z",]]
    .. [["endTime":"2026-11-25T10:30:00Z","attendees":[{"name":"Ann","email":"ann@example.com",]]
    .. [["timeZone":"Europe/Berlin"}]}}]],
}
