/* native_request.c: one request of a command, by TCP or over the admin socket: request { socket, url, method, headers, body,
 * timeout_ms } → { status, body, event_id }, or nil and why. */
#include <curl/curl.h>

#include "cli/native_inside.h"

enum { ANSWER_MAX = 64 << 20 };

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    buf_add(arg, data, size * count);
    return size * count;
}

static const char *text_field(lua_State *L, const char *name, size_t *len)
{
    lua_getfield(L, 1, name);
    const char *text = lua_tolstring(L, -1, len);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

static struct curl_slist *header_list(lua_State *L)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    lua_getfield(L, 1, "headers");
    for (int i = 1; lua_istable(L, -1) && i <= (int)lua_objlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        list = curl_slist_append(list, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return list;
}

static void set_options(lua_State *L, CURL *curl, struct curl_slist *headers, struct buf *answer)
{
    size_t len = 0;
    const char *socket = text_field(L, "socket", &len), *body = text_field(L, "body", &len);
    if (socket)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_URL, text_field(L, "url", NULL));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, text_field(L, "method", NULL));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    }
    lua_getfield(L, 1, "timeout_ms");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)lua_tonumber(L, -1));
    lua_pop(L, 1);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

static void set_event_id(lua_State *L, CURL *curl)
{
    struct curl_header *header;
    if (curl_easy_header(curl, "tidewire-event-id", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
        set_text(L, "event_id", slice_of(header->value));
}

int native_request(lua_State *L)
{
    struct buf answer;
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = header_list(L);
    buf_init(&answer, ANSWER_MAX);
    set_options(L, curl, headers, &answer);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    lua_createtable(L, 0, 3);
    if (code == CURLE_OK)
        set_event_id(L, curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        buf_deinit(&answer);
        return push_failure(L, curl_easy_strerror(code));
    }
    set_number(L, "status", (double)status);
    push_buf(L, &answer);
    lua_setfield(L, -2, "body");
    return 1;
}
