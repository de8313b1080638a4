// The one C++ file: libphonenumber has no C interface.
#include "formats/phone.h"

#include <cstring>
#include <exception>
#include <string>

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

using i18n::phonenumbers::Logger;
using i18n::phonenumbers::NullLogger;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// Longer texts are no telephone numbers; the library refuses past 250 characters anyway, but only
// after work.
static const size_t kTypedMost = 250;

// Made once, by whichever thread comes first; reading it is safe from all. It writes to standard
// output unless told not to.
static const PhoneNumberUtil &numbers() {
    static const PhoneNumberUtil &util = []() -> const PhoneNumberUtil & {
        static NullLogger silent;
        const PhoneNumberUtil *made = PhoneNumberUtil::GetInstance();
        Logger::set_logger_impl(&silent);
        return *made;
    }();
    return util;
}

static bool normalise(const char *typed, size_t n, const char *region, char out[PHONE_MAX]) {
    if (n == 0 || n > kTypedMost)
        return false;
    const PhoneNumberUtil &util = numbers();
    PhoneNumber number;
    std::string from = region && *region ? region : "ZZ";
    if (util.Parse(std::string(typed, n), from, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
        !util.IsPossibleNumber(number))
        return false;
    std::string text; // without an extension, which E.164 does not have
    util.Format(number, PhoneNumberUtil::E164, &text);
    if (text.empty() || text.size() >= PHONE_MAX)
        return false;
    memcpy(out, text.c_str(), text.size() + 1);
    return true;
}

bool phone_normalise(const char *typed, size_t n, const char *region, char out[PHONE_MAX]) {
    try {
        return normalise(typed, n, region, out);
    } catch (const std::exception &) {
        return false;
    }
}
