--- Calendly. Source: providers.md, row Calendly. The URI alone is the same for an invitation and its cancellation.
return {
  verify = {
    header = "Calendly-Webhook-Signature", format = "k=v,", signature = "v1", timestamp = "t", signed = "{timestamp}.{body}",
  },
  options = { secret = true, max_age = false },
  type = "body.event",
  id = { join = { "body.event", "body.payload.uri", "body.created_at" } },
  types = { "invitee.canceled", "invitee.created", "invitee_no_show.created", "invitee_no_show.deleted",
    "routing_form_submission.created" },
}
