// ISO 4217, list one, as of 2025: without the X-codes of metals, baskets and tests and without codes of funds. ANG (until
// 2025) and BGN (until 2026) stay, as older records hold them.
#include "model/currency.h"

#include <stdlib.h>
#include <strings.h>

static const char codes[][4] = {
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
    "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD",
    "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD",
    "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ",
    "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR",
    "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR",
    "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN",
    "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR",
    "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB",
    "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW",
    "ZWG",
};

// The first of several is the one a sign means when `home` is none of them.
static const struct {
    const char *sign;
    const char *codes;
} signs[] = {
    {"€", "EUR"},
    {"$",
     "USD ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD "
     "SGD SRD TTD TWD UYU XCD"},
    {"US$", "USD"},
    {"A$", "AUD"},
    {"C$", "CAD NIO"},
    {"R$", "BRL"},
    {"£", "GBP EGP FKP GIP LBP SDG SHP SSP SYP"},
    {"¥", "JPY CNY"},
    {"zł", "PLN"},
    {"zl", "PLN"},
    {"lei", "RON MDL"},
    {"leu", "RON MDL"},
    {"kr", "SEK DKK ISK NOK"},
    {"Kč", "CZK"},
    {"Ft", "HUF"},
    {"Fr", "CHF"},
    {"Fr.", "CHF"},
    {"₴", "UAH"},
    {"₽", "RUB"},
    {"₺", "TRY"},
    {"₹", "INR"},
    {"₩", "KRW KPW"},
    {"₪", "ILS"},
    {"₫", "VND"},
    {"₱", "PHP CUP"},
    {"₡", "CRC"},
    {"₲", "PYG"},
    {"₦", "NGN"},
    {"₸", "KZT"},
    {"₾", "GEL"},
    {"₼", "AZN"},
    {"S/", "PEN"},
    {"Bs", "BOB VES"},
};

static int by_code(const void *a, const void *b) {
    return memcmp(a, b, 3);
}

static const char *find(const char code[3]) {
    return bsearch(code, codes, sizeof codes / sizeof *codes, sizeof *codes, by_code);
}

bool currency_known(struct str code) {
    return code.n == 3 && find(code.p);
}

size_t currency_count(void) {
    return sizeof codes / sizeof *codes;
}

struct str currency_at(size_t i) {
    return (struct str){codes[i], 3};
}

static bool same_sign(struct str a, struct str b) {
    return a.n == b.n && (!a.n || strncasecmp(a.p, b.p, a.n) == 0);
}

struct str currency_of(struct str written, struct str home) {
    if (written.n == 3) {
        char upper[3];
        for (int i = 0; i < 3; i++) {
            char c = written.p[i];
            upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        }
        const char *code = find(upper);
        if (code)
            return (struct str){code, 3};
    }
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!same_sign(written, str_z(signs[i].sign)))
            continue;
        struct str meant = str_z(signs[i].codes);
        ptrdiff_t at = currency_known(home) ? str_find(meant, home) : -1;
        const char *code = find(meant.p + (at > 0 ? at : 0));
        return code ? (struct str){code, 3} : STR("");
    }
    return STR("");
}
