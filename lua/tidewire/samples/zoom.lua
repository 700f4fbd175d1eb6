--- Samples of zoom, in the shape of its documented payloads (tidewire.samples).
return {
  ["meeting.started"] = [[{"event":"meeting.started","event_ts":%NOW_MS%,"payload":{"account_id":"AAAAAABBBB",]]
    .. [["object":{"id":"1234567890","uuid":"%ID%","host_id":"x1yCzABCDEfg23HiJKl4mN","topic":"Hello","type":2,]]
    .. [["start_time":"2026-11-20T09:00:00Z","duration":60,"timezone":"Europe/Berlin"}}}]],
  ["meeting.ended"] = [[{"event":"meeting.ended","event_ts":%NOW_MS%,"payload":{"account_id":"AAAAAABBBB",]]
    .. [["object":{"id":"1234567890","uuid":"%ID%","host_id":"x1yCzABCDEfg23HiJKl4mN","topic":"Hello","type":2,]]
    .. [["end_time":"2026-11-20T10:00:00Z"}}}]],
  ["recording.completed"] = [[{"event":"recording.completed","event_ts":%NOW_MS%,"payload":{"account_id":"AAAAAABBBB",]]
    .. [["object":{"id":1234567890,"uuid":"%ID%","topic":"Hello","recording_files":[{"id":"1","file_type":"MP4",]]
    .. [["file_size":246560,"download_url":"https://zoom.example.com/rec/1"}]}}}]],
}
