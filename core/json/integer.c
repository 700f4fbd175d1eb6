/* integer.c: what exact integers (LuaJIT's 64-bit ones) answer to Lua's operators: compared by value whatever the signs, types
 * and fractions; joined and printed as their digits; calculated with as numbers, where that is exact.
 *
 * These are C functions on purpose: LuaJIT 2.1.0-beta3 sometimes inverts the result of a comparison whose metamethod is a Lua
 * function once it is compiled; a C function is never compiled. They work on the digits, since the C interface does not tell
 * signed from unsigned. */
#include <lauxlib.h>
#include <math.h>

#include "json/registry.h"

#define EXACT_MAX    9007199254740992.0     /* 2^53 */
#define UNSIGNED_END 18446744073709551616.0 /* 2^64 */

/* An operand: an integer by sign and magnitude, or any number. */
struct operand {
    bool exact;
    bool negative;
    uint64_t magnitude;
    double number;
};

enum order { LESS = -1, EQUAL = 0, GREATER = 1, UNORDERED = 2 };

bool parse_magnitude(struct slice digits, uint64_t *magnitude)
{
    *magnitude = 0;
    if (digits.len > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (__builtin_mul_overflow(*magnitude, 10, magnitude) ||
            __builtin_add_overflow(*magnitude, (uint64_t)(digits.data[i] - '0'), magnitude))
            return false;
    return true;
}

/* ---- comparing ---- */

static bool take_operand(lua_State *L, int index, struct operand *operand)
{
    struct slice digits;
    *operand = (struct operand){ .number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : NAN };
    if (lua_type(L, index) == LUA_TNUMBER)
        return true;
    if (lua_type(L, index) != LUA_TYPE_CDATA || !view_push_digits(L, index))
        return false;
    digits.data = lua_tolstring(L, -1, &digits.len);
    operand->negative = digits.data[0] == '-';
    operand->exact = parse_magnitude(slice_from(digits, operand->negative), &operand->magnitude);
    lua_pop(L, 1);
    return operand->exact;
}

static enum order order_of(bool less, bool greater)
{
    return less ? LESS : greater ? GREATER : EQUAL;
}

static enum order compare_exact(const struct operand *a, const struct operand *b)
{
    if (a->negative != b->negative)
        return a->negative ? LESS : GREATER;
    bool smaller = a->magnitude<b->magnitude, larger = a->magnitude> b->magnitude;
    return a->negative ? order_of(larger, smaller) : order_of(smaller, larger);
}

/* The number's whole part is exact as an integer; where that is equal its fraction decides. */
static enum order compare_with_number(const struct operand *a, double number)
{
    if (isnan(number))
        return UNORDERED;
    if (fabs(number) >= UNSIGNED_END)
        return number > 0 ? LESS : GREATER;
    double whole = trunc(number);
    struct operand b = { .exact = true, .negative = whole < 0, .magnitude = (uint64_t)fabs(whole) };
    enum order order = compare_exact(a, &b);
    return order != EQUAL ? order : order_of(whole<number, whole> number);
}

static enum order compare(const struct operand *a, const struct operand *b)
{
    if (a->exact && b->exact)
        return compare_exact(a, b);
    if (a->exact)
        return compare_with_number(a, b->number);
    enum order order = compare_with_number(b, a->number);
    return order == UNORDERED ? UNORDERED : (enum order) - order;
}

static enum order compare_arguments(lua_State *L)
{
    struct operand a, b;
    if (!take_operand(L, 1, &a) || !take_operand(L, 2, &b))
        luaL_error(L, "attempt to compare a number with a %s", luaL_typename(L, lua_type(L, 1) == LUA_TYPE_CDATA ? 2 : 1));
    return compare(&a, &b);
}

static int integer_lt(lua_State *L)
{
    lua_pushboolean(L, compare_arguments(L) == LESS);
    return 1;
}

static int integer_le(lua_State *L)
{
    enum order order = compare_arguments(L);
    lua_pushboolean(L, order == LESS || order == EQUAL);
    return 1;
}

static int integer_eq(lua_State *L)
{
    struct operand a, b;
    lua_pushboolean(L, take_operand(L, 1, &a) && take_operand(L, 2, &b) && compare(&a, &b) == EQUAL);
    return 1;
}

/* ---- text ---- */

void push_joinable(lua_State *L, int index)
{
    if (view_push_digits(L, index))
        return;
    if (lua_type(L, index) != LUA_TSTRING && lua_type(L, index) != LUA_TNUMBER)
        luaL_error(L, "a number can be joined with text only, not with a %s", luaL_typename(L, index));
    lua_pushvalue(L, index);
}

static int integer_concat(lua_State *L)
{
    /* what refuses text, or stays a secret, says so itself */
    int other = lua_type(L, 1) == LUA_TYPE_CDATA ? 2 : 1;
    if (lua_type(L, other) == LUA_TUSERDATA && luaL_getmetafield(L, other, "__concat")) {
        lua_insert(L, 1);
        lua_call(L, 2, 1);
        return 1;
    }
    push_joinable(L, 1);
    push_joinable(L, 2);
    lua_concat(L, 2);
    return 1;
}

static int integer_tostring(lua_State *L)
{
    if (view_push_digits(L, 1))
        return 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, views_of(L)->digits_ref); /* a complex number */
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* ---- arithmetic ---- */

static double number_of(lua_State *L, int index)
{
    struct operand operand;
    if (lua_type(L, index) == LUA_TSTRING && lua_isnumber(L, index))
        return lua_tonumber(L, index);
    if (!take_operand(L, index, &operand))
        luaL_error(L, "attempt to perform arithmetic on a %s value", luaL_typename(L, index));
    double number = operand.exact ? (double)operand.magnitude * (operand.negative ? -1 : 1) : operand.number;
    if (fabs(number) >= EXACT_MAX)
        luaL_error(L, "this integer is beyond 2^53 and arithmetic would round it; tonumber(x) rounds on purpose");
    return number;
}

static int push_result(lua_State *L, double number)
{
    lua_pushnumber(L, number);
    return 1;
}

static int integer_add(lua_State *L)
{
    return push_result(L, number_of(L, 1) + number_of(L, 2));
}

static int integer_sub(lua_State *L)
{
    return push_result(L, number_of(L, 1) - number_of(L, 2));
}

static int integer_mul(lua_State *L)
{
    return push_result(L, number_of(L, 1) * number_of(L, 2));
}

static int integer_div(lua_State *L)
{
    return push_result(L, number_of(L, 1) / number_of(L, 2));
}

static int integer_mod(lua_State *L)
{
    double a = number_of(L, 1), b = number_of(L, 2);
    return push_result(L, a - floor(a / b) * b);
}

static int integer_pow(lua_State *L)
{
    return push_result(L, pow(number_of(L, 1), number_of(L, 2)));
}

static int integer_unm(lua_State *L)
{
    return push_result(L, -number_of(L, 1));
}

static const luaL_Reg metamethods[] = {
    { "__eq", integer_eq },
    { "__lt", integer_lt },
    { "__le", integer_le },
    { "__concat", integer_concat },
    { "__tostring", integer_tostring },
    { "__add", integer_add },
    { "__sub", integer_sub },
    { "__mul", integer_mul },
    { "__div", integer_div },
    { "__mod", integer_mod },
    { "__pow", integer_pow },
    { "__unm", integer_unm },
    { NULL, NULL },
};

void register_integers(lua_State *L)
{
    for (const luaL_Reg *method = metamethods; method->name; method++) {
        lua_pushcfunction(L, method->func);
        lua_setfield(L, -2, method->name);
    }
}
