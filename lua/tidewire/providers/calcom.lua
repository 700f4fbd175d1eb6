--- Cal.com. Source: providers.md, row "Also cheap to add". A body has the time at which it was made, so equal ones are
-- repetitions.
return {
  verify = { header = "X-Cal-Signature-256" },
  type = "body.triggerEvent",
  remember_signature = true, -- there is no id, and no time is signed
}
