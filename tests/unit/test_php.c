/* SPDX-License-Identifier: MIT
 * Settings in the PHP files of products, as people and installers write them. */
#include "cli/php.h"

#include "base/sanitized.h"
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *text;
    bool constant;
    enum php_found found;
    const char *value;
} found_rows[] = {
    {"define('X', 'a');", true, PHP_PLAIN, "a"},
    {"define( \"X\" , \"a\" ) ;", true, PHP_PLAIN, "a"},
    {"DEFINE('X','a', true);", true, PHP_PLAIN, "a"},
    {"\\define('X','a');", true, PHP_PLAIN, "a"},
    {"const X = 'a';", true, PHP_PLAIN, "a"},
    {"define('X'\r\n  ,\r\n 'a' );\r\n", true, PHP_PLAIN, "a"},
    {"define(/* 'X', 'b' */ 'X', # 'c'\n 'a' // );\n);", true, PHP_PLAIN, "a"},
    {"// define('X', 'b');\n# define('X', 'c');\n/* define('X', 'd'); */ define('X', 'a');", true,
     PHP_PLAIN, "a"},
    {"$s = \"define('X', 'b');\"; define('X', 'a');", true, PHP_PLAIN, "a"},
    {"$s = <<<E\ndefine('X', 'b');\nE;\ndefine('X', 'a');", true, PHP_PLAIN, "a"},
    {"if (!defined('X')) define('X', 'a');", true, PHP_PLAIN, "a"},
    {"if (1) { define('X', 'a'); } else { define('X', 'b'); }", true, PHP_DIFFERS, NULL},
    {"define('X', 'a'); define('X', 'a');", true, PHP_PLAIN, "a"},
    {"undefine('X', 'b'); $a->define('Y', 'b'); A::define($y, 'b');", true, PHP_MISSING, NULL},
    {"define('XX', 'b'); define('x', 'b');", true, PHP_MISSING, NULL},
    {"define('X', getenv('X'));", true, PHP_OTHER, NULL},
    {"define('X', getenv('X') ?: 'a');", true, PHP_OTHER, NULL},
    {"define('X', $_ENV['X'] ?? 'a');", true, PHP_OTHER, NULL},
    {"define('X', getenv_docker('X', 'a'));", true, PHP_OTHER, NULL},
    {"define('X', 'a' . 'b' /* c */ . \"c\");", true, PHP_PLAIN, "abc"},
    {"define('X', 'a' . f());", true, PHP_OTHER, NULL},
    {"define('X', 'a'[0]);", true, PHP_OTHER, NULL},
    {"$y = 'b'; define('X', 'a' . $y);", true, PHP_PLAIN, "ab"},
    {"define('Y', 'b'); define('X', Y . '_');", true, PHP_PLAIN, "b_"},
    {"define('X', Y);", true, PHP_OTHER, NULL},
    {"define('X', \"a$y\");", true, PHP_OTHER, NULL},
    {"define('X', \"a{$y}\");", true, PHP_OTHER, NULL},
    {"define('X', \"a\\$y\\x41\\101\\n\\q\");", true, PHP_PLAIN, "a$yAA\n\\q"},
    {"define('X', 'it\\'s \\\\ \\n');", true, PHP_PLAIN, "it's \\ \\n"},
    {"define('X', <<<'E'\n  a$b\n  E);", true, PHP_PLAIN, "a$b"},
    {"define('X', <<<E\r\n a\\x41\r\n E\r\n);", true, PHP_PLAIN, "aA"},
    {"define('X', true); ", true, PHP_PLAIN, "1"},
    {"define('X', FALSE); ", true, PHP_PLAIN, ""},
    {"define('X', 3307); ", true, PHP_PLAIN, "3307"},
    {"define('X', '", true, PHP_OTHER, NULL},
    {"?> define('X', 'b'); <?php define('X', 'a');", true, PHP_PLAIN, "a"},
    {"// ?> define('X', 'b'); <?php\ndefine('X', 'a');", true, PHP_PLAIN, "a"},
    {"$X = 'a';", false, PHP_PLAIN, "a"},
    {"$X='b';\n$X  =  'a' ;", false, PHP_PLAIN, "a"},
    {"if (!isset($X)) { $X = 'a'; }", false, PHP_PLAIN, "a"},
    {"$X = 'b'; if ($y) { $X = 'a'; }", false, PHP_DIFFERS, NULL},
    {"if ($y) { $X = 'b'; } $X = 'a';", false, PHP_PLAIN, "a"},
    {"$X = 'a'; $X .= 'b';", false, PHP_DIFFERS, NULL},
    {"$XY = 'b'; $a->X = 'b'; if ($X == 'b' || $X === 'c') $Y = [$X => 'd'];", false, PHP_MISSING,
     NULL},
    {"$X = $X . 'a' . $X;", false, PHP_OTHER, NULL},
    {"$X = null;", false, PHP_PLAIN, ""},
    {"$X = 'a'", false, PHP_PLAIN, "a"},
    {"$X = 'a' ?>", false, PHP_PLAIN, "a"},
    {"$X = 'a' .= 'b';", false, PHP_OTHER, NULL},
    {"$X = 'a' ... 'b';", false, PHP_OTHER, NULL},
    {"$X = a1234567890123456789012345678901234567890123456789012345678901234;", false, PHP_OTHER,
     NULL},
    {"$X = 'a'; $X .= 'b'; $X = 'c';", false, PHP_DIFFERS, NULL},
    {"if (1) { $X = f(); } if (2) { $X = g(); }", false, PHP_OTHER, NULL},
    {"if (1) { $X = f(); } if (2) { $X = 'a'; }", false, PHP_DIFFERS, NULL},
    {"#[A('b')]\n$X = 'a'; // c\r$X = 'd'; // e", false, PHP_PLAIN, "d"},
    {"/* $X = 'b';", false, PHP_MISSING, NULL},
    {"$X = `a`;", false, PHP_OTHER, NULL},
    {"$X = 'a\\", false, PHP_OTHER, NULL},
    {"$X = \"a\\\"b\";", false, PHP_PLAIN, "a\"b"},
    {"$X = \"\\x414\\x4g\\xg\\x\\1018\\18\\1a\\8\\1!\";", false, PHP_PLAIN,
     "A4\x04g\\xg\\xA8\0018\001a\\8\001!"},
    {"$X = \"a${y}\";", false, PHP_OTHER, NULL},
    {"$X = \"{a} $ {\";", false, PHP_PLAIN, "{a} $ {"},
    {"$X = <<<E\nE;", false, PHP_PLAIN, ""},
    {"$X = <<<\"E\"\n  a\\n$\n  b\n  E;", false, PHP_PLAIN, "a\n$\nb"},
    {"$X = <<<'E'\n  a\n  $b\n \n  E;", false, PHP_PLAIN, "a\n$b\n"},
    {"$X = <<<'E'\n a\n$b\nE;", false, PHP_PLAIN, " a\n$b"},
    {"$X = <<<'E\na\nE;", false, PHP_OTHER, NULL},
    {"$X = <<< \na\n;", false, PHP_OTHER, NULL},
    {"$X = <<<E a\nE;", false, PHP_OTHER, NULL},
    {"$X = <<<E\na", false, PHP_OTHER, NULL},
    {"", false, PHP_MISSING, NULL},
    /* the first define() counts, and the last assignment, unless code decides */
    {"@define('X', 'a'); define('X', 'b');", true, PHP_PLAIN, "a"},
    {"const X = 'a'; define('X', 'b');", true, PHP_PLAIN, "a"},
    {"defined('X') || define('X', 'a'); define('X', 'b');", true, PHP_DIFFERS, NULL},
    {"if (1): define('X', 'a'); else: define('X', 'b'); endif;", true, PHP_DIFFERS, NULL},
    {"if (1): $X = 'a'; else: $X = 'b'; endif;", false, PHP_DIFFERS, NULL},
    {"switch (1): case 1: $X = 'a'; break; default: f(); $X = 'b'; ENDSWITCH;", false, PHP_DIFFERS,
     NULL},
    {"if (1): $X = 'a'; endif; $X = 'b';", false, PHP_PLAIN, "b"},
    {"if (1) $X = 'a'; else $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; if (0) /* c */ $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; 0 && $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; 0 and $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; for (; 0; $X = 'b');", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; f(function () { f([0]); $X = 'b'; });", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; f([') {']); ?> { <?php $X = 'b';", false, PHP_PLAIN, "b"},
    {"$y = 'a'; $X = $y; $y = 'b';", false, PHP_PLAIN, "a"},
    {"$X = $y; $y = 'b';", false, PHP_OTHER, NULL},
    {"if (1) { $X = 'a'; } else { $X = 'a'; }", false, PHP_PLAIN, "a"},
    {"}) $X = 'a'; $X = 'b';", false, PHP_PLAIN, "b"},
    {"$ X = 'c'; $\xc3\xa9X = 'b'; $X = 'a';", false, PHP_PLAIN, "a"},
    {"const X; define; define('X'); define('X', 'a');", true, PHP_PLAIN, "a"},
    {"$X = <<<E\nEE\nE;", false, PHP_PLAIN, "EE"},
    {"define('X', 010);", true, PHP_OTHER, NULL},
    {"define('X', 0);", true, PHP_PLAIN, "0"},
    {"define('X', 1.5);", true, PHP_OTHER, NULL},
    {"define('X', 1 . 5);", true, PHP_PLAIN, "15"},
    {"const Y = 1, X = 'a'; define('X', 'b');", true, PHP_PLAIN, "a"},
    {"if (1) { return; } define('X', 'a'); define('X', 'b');", true, PHP_DIFFERS, NULL},
    {"define('X', 'a'); return; define('X', 'b');", true, PHP_PLAIN, "a"},
    {"$X = 'a'; return; $X = 'b';", false, PHP_PLAIN, "a"},
    {"$X = 'a'; if (1) return; $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; if (1): return; endif; $X = 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; goto e; $X = 'b'; e:", false, PHP_DIFFERS, NULL},
    {"function f($X = 'b') { return; } $X = 'a'; $X = 'c';", false, PHP_PLAIN, "c"},
    {"$f = fn($X) => $X; $f = function () use ($X) { return; }; $X = 'a'; $X = 'c';", false,
     PHP_PLAIN, "c"},
    {"$GLOBALS['X'] = 'a';", false, PHP_PLAIN, "a"},
    {"$X = 'b'; $GLOBALS [ \"X\" ] = 'a'; $GLOBALS['Y'] = 'c';", false, PHP_PLAIN, "a"},
    {"$X = 'a'; $y = [$X, 'b' => $X]; $z[$X] = $a->b[$X] = $a['b'][$X] = 1;", false, PHP_PLAIN,
     "a"},
    {"$X = 'a'; if (isset($X) && $X && $X[0] ?? 0) f('b', \"$X\", g . $X);", false, PHP_HIDDEN,
     NULL},
    {"$X = 'a'; if (isset($X) && $X == trim($X)) f(\"$X\", g . $X, ['b', $X]);", false, PHP_PLAIN,
     "a"},
    {"foreach ([$X] as $k => $v) f(); $X = 'a';", false, PHP_PLAIN, "a"},
    {"use A as B; $X = 'a'; $y = ($X); if ([$X] == f('abcdef') || match (1) { [$X] => 1 }) f(); $",
     false, PHP_PLAIN, "a"},
    {"A::define('X'); A::define('Y', 1); const Y = 1 . $X, X = 'a';", true, PHP_PLAIN, "a"},
    {"$X = 'a'; [$X ?> ]", false, PHP_PLAIN, "a"},
    {"$X = 'a'; [$X", false, PHP_PLAIN, "a"},
    /* what sets it without saying so */
    {"foreach ($y as $k => $v) define($k, $v);", true, PHP_HIDDEN, NULL},
    {"define('X', 'a'); define($k, $v); eval($y);", true, PHP_PLAIN, "a"},
    {"define($k, $v); define('X', 'a');", true, PHP_HIDDEN, NULL},
    {"define('X' . '', 'a');", true, PHP_HIDDEN, NULL},
    {"define(value: 'a', constant_name: 'X');", true, PHP_HIDDEN, NULL},
    {"array_map('define', array_keys($y), $y);", true, PHP_HIDDEN, NULL},
    {"Config::define('X', 'a');", true, PHP_HIDDEN, NULL},
    {"$config->define('X', env('X'));", true, PHP_HIDDEN, NULL},
    {"if ($y) { eval($y); }", true, PHP_HIDDEN, NULL},
    {"$X = 'a'; eval($y);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; extract($y);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $y->extract($z); A::eval($z);", false, PHP_PLAIN, "a"},
    {"$X = 'a'; $GLOBALS[$y] = 'b';", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; f($GLOBALS);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $GLOBALS['X'] .= 'b';", false, PHP_DIFFERS, NULL},
    {"$X = 'a'; $$y = 'b';", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; ${'X'} = 'b';", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; [$X, $y] = f();", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; if (1) {} [[$y, 'k' => $X]] = f();", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; list($y, $X) = f();", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; foreach ($y as $k => $X) {}", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; foreach ($y as [$k, $X]) {}", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $y = &$X; $y = 'b';", false, PHP_HIDDEN, NULL},
    {"$X = &$y; $X = 'a'; $y = 'b';", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; preg_match('/b/', 'b', $X);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $y->f($X, 1);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; unset($X);", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $X++;", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; --$X;", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $X--;", false, PHP_HIDDEN, NULL},
    {"$X = 'a'; $GLOBALS['X' . 'Y'] = 'b';", false, PHP_HIDDEN, NULL},
    {"$X[] = 'a';", false, PHP_HIDDEN, NULL},
    {"$y = 'b'; [$y] = f(); $X = $y;", false, PHP_OTHER, NULL},
    {"(((((((((((((((((((((((((((((((((as $X", false, PHP_HIDDEN, NULL},
};

static void settings_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(found_rows); i++)
        for (int bom = 0; bom < 2; bom++) {
            struct bytes text = {0}, value = {0};
            unsigned line;
            bytes_addf(&text, "%s<?php %s", bom ? "\xef\xbb\xbf" : "", found_rows[i].text);
            enum php_found found =
                php_find(bytes_string(&text), "X", found_rows[i].constant, &value, &line);
            if (found != found_rows[i].found)
                fail_msg("%s: %d", found_rows[i].text, (int)found);
            if (found_rows[i].value && strcmp(bytes_string(&value), found_rows[i].value) != 0)
                fail_msg("%s: %s", found_rows[i].text, bytes_string(&value));
            bytes_free(&text);
            bytes_free(&value);
        }
}

static void places_are_told(void **state)
{
    static const char *const harmless[] = {"known.php", NULL};
    struct bytes value = {0};
    unsigned line;
    (void)state;
    assert_int_equal(php_find("x\n<?php\n\n$X = f();", "X", false, &value, &line), PHP_OTHER);
    assert_int_equal(line, 4);
    assert_int_equal(php_find("$X = 'a';", "X", false, &value, &line), PHP_MISSING);
    assert_int_equal(php_find_include("<?php\nrequire_once ABSPATH . 'known.php';\n"
                                      "// include 'a.php';\n",
                                      harmless),
                     0);
    assert_int_equal(php_find_include("<?php\nrequire 'known.php';\n@include('a.php');", harmless),
                     3);
    bytes_free(&value);
}

#ifdef IS_SANITIZED
#define LARGE (1 << 16) /* a sanitizer makes some of it quadratic */
#else
#define LARGE (1 << 18)
#endif

/* Whoever wrote the file must not keep the administrator waiting. */
static void large_files_take_no_time(void **state)
{
    static const char *const parts[] = {
        "<<<A\n", "$X='';", "include a.php ",     "define('",        "/* ",
        "<? ?>",  "$X=$X=", "$X=$a.$a;$a=$X.$X;", "define(",         "const X=",
        "{",      "#",      "define('X','",       "define('X',",     "<<<A\nA;\n",
        "if():",  "[$X,",   "([$X,1]);",          "f(function($X){", "foreach([",
    };
    static const char *const harmless[] = {"b.php", "a.php", NULL};
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct bytes text = {0}, value = {0};
        unsigned line;
        bytes_add_string(&text, "<?php $X = 'a';\n");
        while (text.length < LARGE)
            bytes_add_string(&text, parts[i]);
        clock_t begin = clock();
        php_find(bytes_string(&text), "X", true, &value, &line);
        php_find(bytes_string(&text), "X", false, &value, &line);
        assert_int_equal(php_find_include(bytes_string(&text), harmless), 0);
        int64_t took = (int64_t)(clock() - begin) * 1000 / CLOCKS_PER_SEC;
        if (took > limit_ms(3000))
            fail_msg("%s takes %lld ms", parts[i], (long long)took);
        bytes_free(&text);
        bytes_free(&value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_found),
        cmocka_unit_test(places_are_told),
        cmocka_unit_test(large_files_take_no_time),
    };
    return cmocka_run_group_tests_name("php", tests, NULL, NULL);
}
