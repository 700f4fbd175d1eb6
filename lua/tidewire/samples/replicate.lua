--- Samples of replicate, in the shape of its documented payloads (tidewire.samples).
return {
  succeeded = [[{"id":"%HEX%","model":"acme/hello","version":"5c7d5dc6","input":{"prompt":"hello"},"status":"succeeded",]]
    .. [["output":["https://files.example.com/1.png"],"error":null,"created_at":"%TIME%"}]],
  processing = [[{"id":"%HEX%","model":"acme/hello","version":"5c7d5dc6","input":{"prompt":"hello"},]]
    .. [["status":"processing","output":null,"error":null,"created_at":"%TIME%"}]],
  failed = [[{"id":"%HEX%","model":"acme/hello","version":"5c7d5dc6","input":{"prompt":"hello"},"status":"failed",]]
    .. [["output":null,"error":null,"created_at":"%TIME%"}]],
}
