--- Webflow. Source: providers.md, row "Also cheap to add"; developers.webflow.com, "Verifying Requests": time in ms, a colon, the
-- body.
return {
  verify = {
    header = "X-Webflow-Signature", signed = "{timestamp}:{body}", timestamp = "headers.x-webflow-timestamp",
    timestamp_format = "unix_ms",
  },
  options = { secret = true, max_age = false },
  type = "body.triggerType",
  remember_signature = true, -- there is no id
}
