/* xml.h: XML 1.0 by expat, into a run of records that can be read without it. Nothing outside the text is ever looked at: a
 * document type may be named, entities and attributes of its own are refused. Pure; any thread.
 *
 * The records of an element (numbers and blocks as in buf.h, all text UTF-8):
 *   XML_ELEMENT  u8 keeps_blank, u32 attributes, block name, for each attribute: block name, block value
 *   XML_TEXT     u8 blank, block text           everything between two tags; never empty
 *   XML_END
 * Comments and instructions are left out. A blank text (white space only) counts where keeps_blank is 1: in an element that holds
 * other text too, or no element. Elsewhere it is layout. */
#ifndef TIDEWIRE_XML_H
#define TIDEWIRE_XML_H

#include "base/buf.h"
#include "base/result.h"
#include "base/slice.h"
#include "body/body.h"

enum xml_record { XML_ELEMENT = 1, XML_TEXT, XML_END };

enum {
    XML_TEXT_MAX = 16 << 20, /* bytes of a document */
    XML_DEPTH_MAX = 128,     /* elements around one another */
    XML_ELEMENTS_MAX = 100000,
    XML_RECORDS_MAX = 64 << 20 /* bytes of records: more than a document of XML_TEXT_MAX can make */
};

/* content_type: its charset comes before what the document says of itself, and a byte order mark before both (RFC 7303, 3); "":
 * there is none. Known are UTF-8, UTF-16, ISO-8859-1 and US-ASCII.
 * records: emptied; its max is at least XML_RECORDS_MAX. NULL: the text is only checked. ERR_INVALID with *error; ERR_MEMORY. */
enum result xml_read(struct slice text, struct slice content_type, struct buf *records, struct body_error *error) MUST_CHECK;

#endif
