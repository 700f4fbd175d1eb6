--- Samples of brex, in the shape of its documented payloads (tidewire.samples).
return {
  TRANSFER_PROCESSED = [[{"event_type":"TRANSFER_PROCESSED","transfer_id":"tr_%HEX%","payment_type":"ACH",]]
    .. [["company_id":"cuacc_1"}]],
  TRANSFER_FAILED = [[{"event_type":"TRANSFER_FAILED","transfer_id":"tr_%HEX%","payment_type":"ACH","company_id":"cuacc_1"}]],
  REFERRAL_CREATED = [[{"event_type":"REFERRAL_CREATED","referral_id":"ref_%HEX%","company_id":"cuacc_1"}]],
}
