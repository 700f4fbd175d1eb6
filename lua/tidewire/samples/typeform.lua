--- Samples of typeform, in the shape of its documented payloads (tidewire.samples).
return {
  form_response = [[{"event_id":"%ID%","event_type":"form_response","form_response":{"form_id":"lT4Z3j","token":"%HEX%",]]
    .. [["landed_at":"2026-11-20T09:00:00Z","submitted_at":"2026-11-20T09:01:00Z","definition":{"id":"lT4Z3j",]]
    .. [["title":"Hello","fields":[{"id":"DlXFaesGBpoF","title":"Your e-mail address","type":"email","ref":"email"}]},]]
    .. [["answers":[{"type":"email","email":"ann@example.com","field":{"id":"DlXFaesGBpoF","type":"email",]]
    .. [["ref":"email"}}]}}]],
  form_response_partial = [[{"event_id":"%ID%","event_type":"form_response_partial","form_response":{"form_id":"lT4Z3j",]]
    .. [["token":"%HEX%","landed_at":"2026-11-20T09:00:00Z","submitted_at":"2026-11-20T09:01:00Z",]]
    .. [["definition":{"id":"lT4Z3j","title":"Hello","fields":[{"id":"DlXFaesGBpoF","title":"Your e-mail address",]]
    .. [["type":"email","ref":"email"}]},"answers":[{"type":"email","email":"ann@example.com",]]
    .. [["field":{"id":"DlXFaesGBpoF","type":"email","ref":"email"}}]}}]],
  form_response_scored = [[{"event_id":"%ID%","event_type":"form_response","form_response":{"form_id":"lT4Z3j",]]
    .. [["token":"%HEX%","landed_at":"2026-11-20T09:00:00Z","submitted_at":"2026-11-20T09:01:00Z",]]
    .. [["definition":{"id":"lT4Z3j","title":"Hello","fields":[{"id":"DlXFaesGBpoF","title":"Your e-mail address",]]
    .. [["type":"email","ref":"email"}]},"answers":[{"type":"email","email":"ann@example.com",]]
    .. [["field":{"id":"DlXFaesGBpoF","type":"email","ref":"email"}}],"calculated":{"score":9},]]
    .. [["variables":[{"key":"score","type":"number","number":9}]}}]],
}
