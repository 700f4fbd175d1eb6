--- Samples of onfleet, in the shape of its documented payloads (tidewire.samples).
return {
  taskStarted = [[{"time":%NOW_MS%,"triggerId":0,"triggerName":"taskStarted","taskId":"%HEX%",]]
    .. [["workerId":"1LjhGUWdxFbvdsTAAXs0TFos","data":{"task":{"shortId":"0d1a26e6","state":1}}}]],
  taskCompleted = [[{"time":%NOW_MS%,"triggerId":3,"triggerName":"taskCompleted","taskId":"%HEX%",]]
    .. [["workerId":"1LjhGUWdxFbvdsTAAXs0TFos","data":{"task":{"shortId":"0d1a26e6","state":1}}}]],
  taskFailed = [[{"time":%NOW_MS%,"triggerId":4,"triggerName":"taskFailed","taskId":"%HEX%",]]
    .. [["workerId":"1LjhGUWdxFbvdsTAAXs0TFos","data":{"task":{"shortId":"0d1a26e6","state":1}}}]],
}
