--- Samples of notion, in the shape of its documented payloads (tidewire.samples).
return {
  ["page.created"] = [[{"id":"%ID%","timestamp":"%TIME%","workspace_id":"13950b26-c203-4f3b-b97d-93ec06319565",]]
    .. [["subscription_id":"29d75c0d-5546-4414-8459-7b7a92f1fc4b",]]
    .. [["integration_id":"0ef2e755-4912-8096-91c1-00376a88a5ca","type":"page.created",]]
    .. [["authors":[{"id":"c7c11cca-1d73-471d-9b6e-bdef51470190","type":"person"}],"attempt_number":1,]]
    .. [["entity":{"id":"153104cd-477e-809d-8dc4-ff2d96ae3090","type":"page"},"data":{}}]],
  ["page.content_updated"] = [[{"id":"%ID%","timestamp":"%TIME%","workspace_id":"13950b26-c203-4f3b-b97d-93ec06319565",]]
    .. [["subscription_id":"29d75c0d-5546-4414-8459-7b7a92f1fc4b",]]
    .. [["integration_id":"0ef2e755-4912-8096-91c1-00376a88a5ca","type":"page.content_updated",]]
    .. [["authors":[{"id":"c7c11cca-1d73-471d-9b6e-bdef51470190","type":"person"}],"attempt_number":1,]]
    .. [["entity":{"id":"153104cd-477e-809d-8dc4-ff2d96ae3090","type":"page"},]]
    .. [["data":{"updated_blocks":[{"id":"153104cd-477e-80ec-a87d-f7ff0236d35c","type":"block"}]}}]],
  ["comment.created"] = [[{"id":"%ID%","timestamp":"%TIME%","workspace_id":"13950b26-c203-4f3b-b97d-93ec06319565",]]
    .. [["subscription_id":"29d75c0d-5546-4414-8459-7b7a92f1fc4b",]]
    .. [["integration_id":"0ef2e755-4912-8096-91c1-00376a88a5ca","type":"comment.created",]]
    .. [["authors":[{"id":"c7c11cca-1d73-471d-9b6e-bdef51470190","type":"person"}],"attempt_number":1,]]
    .. [["entity":{"id":"153104cd-477e-809d-8dc4-ff2d96ae3090","type":"comment"},]]
    .. [["data":{"page_id":"0ef104cd-477e-80e1-8571-cfd10e92339a"}}]],
}
