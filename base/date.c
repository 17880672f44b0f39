/* SPDX-License-Identifier: MIT */
#include "date.h"

#include <string.h>
#include <time.h>

/* Takes exactly `digits` digits off the front. */
static bool take_number(struct span *rest, size_t digits, int *value_r)
{
    *value_r = 0;
    if (rest->length < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9')
            return false;
        *value_r = 10 * *value_r + (rest->data[i] - '0');
    }
    *rest = (struct span){rest->data + digits, rest->length - digits};
    return true;
}

static bool take_mark(struct span *rest, const char *marks)
{
    if (!rest->length || !memchr(marks, *rest->data, strlen(marks)))
        return false;
    *rest = (struct span){rest->data + 1, rest->length - 1};
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01; years begin in March, so that a leap day is the last. */
static int64_t count_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool take_day(struct span *rest, int64_t *days_r)
{
    int year, month, day;
    if (!take_number(rest, 4, &year) || !take_mark(rest, "-") || !take_number(rest, 2, &month) ||
        !take_mark(rest, "-") || !take_number(rest, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days_r = count_days(year, month, day);
    return true;
}

/* Hours and minutes. */
static bool take_clock(struct span *rest, int *seconds_r)
{
    int hour, minute;
    if (!take_number(rest, 2, &hour) || !take_mark(rest, ":") || !take_number(rest, 2, &minute))
        return false;
    *seconds_r = 3600 * hour + 60 * minute;
    return hour < 24 && minute < 60;
}

static bool take_seconds(struct span *rest, int *seconds_r)
{
    int digit;
    *seconds_r = 0;
    if (!take_mark(rest, ":"))
        return true;
    if (!take_number(rest, 2, seconds_r) || *seconds_r > 59)
        return false;
    if (!take_mark(rest, "."))
        return true;
    bool some = false;
    while (take_number(rest, 1, &digit))
        some = true;
    return some;
}

static bool take_offset(struct span *rest, int *seconds_r)
{
    bool west = rest->length && *rest->data == '-';
    *seconds_r = 0;
    if (!rest->length || take_mark(rest, "Zz"))
        return true;
    if (!take_mark(rest, "+-") || !take_clock(rest, seconds_r))
        return false;
    *seconds_r = west ? -*seconds_r : *seconds_r;
    return true;
}

bool date_parse(struct span text, int64_t *seconds_r, bool *is_day_r)
{
    int64_t days = 0;
    int clock = 0, seconds = 0, offset = 0;
    bool good = take_day(&text, &days);
    *is_day_r = good && text.length == 0;
    if (good && !*is_day_r)
        good = take_mark(&text, "Tt") && take_clock(&text, &clock) &&
               take_seconds(&text, &seconds) && take_offset(&text, &offset);
    *seconds_r = days * 86400 + clock + seconds - offset;
    return good && text.length == 0 && *seconds_r >= DATE_EARLIEST && *seconds_r <= DATE_LATEST;
}

void date_add(struct bytes *out, int64_t seconds)
{
    time_t time = (time_t)(seconds < DATE_EARLIEST ? DATE_EARLIEST
                           : seconds > DATE_LATEST ? DATE_LATEST
                                                   : seconds);
    struct tm tm = {0};
    gmtime_r(&time, &tm);
    bytes_addf(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec);
}
