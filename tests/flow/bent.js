// Values of headers that are nearly the right ones, for forgeries.test.js and certificates.test.js: lists of [what, value].

/** Does the header hold a list of signatures? Then more in it is no forgery, as long as one of them is right. */
export const isList = (value) => /(^|[,; ])[vh]1[=,]/.test(value);

/** A header's value with something about it. */
export function otherValues(value) {
  return [
    ['is empty', ''], ['comes twice', [value, value]], ['comes twice, first wrong', ['x', value]], ['comes twice, then wrong', [value, 'x']],
    ['has an empty twin', [value, '']], ...(isList(value) ? [] : [['is twice in one', value + value], ['is joined', `${value}, ${value}`]]),
    ['is cut', value.slice(0, -1)],
    ['lacks its beginning', value.slice(1)], ['has letters behind', `${value}zz`], ['has digits behind', `${value}00`],
    ['has a word behind', `${value} x`], ['has a word before', `x ${value}`], ['is quoted', `"${value}"`], ['is 8 KB long', value + 'a'.repeat(8192)],
    ['is 8 KB of other', 'a'.repeat(8192)], ['has a byte past ASCII', `${value}\xe9`], ['is past ASCII', '\xff\xfe\xe9'],
    ['has a tab within', `${value.slice(0, 3)}\t${value.slice(3)}`], ['is a template', '{body}'], ['is null', 'null'],
  ];
}

export const hexOf = (value) => value.match(/^(.*?)([0-9a-f]{40,})$/)?.slice(1);
export const base64Of = (value) => !hexOf(value) && value.match(/^(.*?)([A-Za-z0-9+/]{27,}={0,2})$/)?.slice(1);

export const last = (text) => text.slice(-1);

export function otherHex(before, digest) {
  const half = Math.floor(digest.length / 4) * 2;
  return [
    ['of odd length', before + digest.slice(1)], ['of odd length, longer', `${before}${digest}0`], ['of half the bytes', before + digest.slice(0, half)],
    ['of no bytes', before], ['all zero', before + '0'.repeat(digest.length)], ['no hex', before + 'g'.repeat(digest.length)],
    ['with 0x', `${before}0x${digest}`], ['with a space within', `${before}${digest.slice(0, 2)} ${digest.slice(2)}`],
    ['with colons', before + digest.match(/../g).join(':')], ['as base64', before + Buffer.from(digest, 'hex').toString('base64')],
    ['with its last digit another', before + digest.slice(0, -1) + (last(digest) === '0' ? '1' : '0')],
    ['with a null behind', `${before}${digest}%00`],
  ];
}

export function otherBase64(before, digest) {
  const bare = digest.replace(/=+$/, '');
  return [
    ['of the URL alphabet', before + digest.replaceAll('+', '-').replaceAll('/', '_')], ['of no bytes', before],
    ['with a space within', `${before}${digest.slice(0, 4)} ${digest.slice(4)}`], ['with more padding', `${before}${digest}=`],
    ['with padding within', `${before}${digest.slice(0, 4)}====${digest.slice(4)}`], ['as hex', before + Buffer.from(digest, 'base64').toString('hex')],
    ['percent-encoded', before + encodeURIComponent(digest)], ['of another byte', `${before}${digest[0] === 'A' ? 'B' : 'A'}${digest.slice(1)}`],
    ...(bare !== digest ? [['without its padding', before + bare],
      // the last character of a padded text has bits that are no part of any byte
      ['with spare bits', before + bare.slice(0, -1) + String.fromCharCode(bare.charCodeAt(bare.length - 1) + (/[Zz9/]/.test(last(bare)) ? -1 : 1))
        + digest.slice(bare.length)]] : []),
  ];
}
