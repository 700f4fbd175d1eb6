local pagerduty = target "pagerduty" { url = "https://events.pagerduty.com/v2/enqueue", order_by = "body.dedup_key" }
local telegram  = target "telegram"  { url = secret "TELEGRAM_SEND_MESSAGE_URL", rate = "20/m" }

local severity = { critical = "critical", warning = "warning", info = "info" }

route "/alertmanager" {
  verify = verify.bearer(secret "ALERTMANAGER_TOKEN"),
  dedupe = false,                -- Alertmanager repeats on purpose

  handle = function(event)
    for _, alert in ipairs(event.body.alerts) do
      local title = get(alert, "annotations.summary", alert.labels.alertname)

      if alert.labels.severity == "critical" then
        send(pagerduty, { json = {
          routing_key  = secret "PAGERDUTY_ROUTING_KEY",
          event_action = alert.status == "firing" and "trigger" or "resolve",
          dedup_key    = alert.fingerprint,
          payload      = {
            summary        = title,
            source         = alert.labels.instance or "unknown",
            severity       = severity[alert.labels.severity],
            custom_details = alert.labels,
          },
        } })
      else
        send(telegram, { json = {
          chat_id = env "TELEGRAM_CHAT_ID",
          text    = (alert.status == "firing" and "🔔 " or "✅ ") .. title,
        } })
      end
    end
  end,
}
