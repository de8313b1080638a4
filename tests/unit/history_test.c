#include "logs.h"
static void test_smoke(void **state){ (void)state;
 struct logs l; logs_start(&l);
 logs_add(&l, 3);
 struct conn *c; must(store_connect(l.store, STORE_READ, &c, &e));
 struct event ev; must(history_get(c, 2, &l.arena, &ev, &e));
 assert_int_equal(ev.operation,0); assert_int_equal(ev.n_items,2);
 struct tree_head th; must(history_tree_head(c,&th,&e)); assert_int_equal(th.size,3);
 conn_close(c);
 logs_add(&l, 70000);
 logs_end(&l);
}
int main(void){ const struct CMUnitTest t[]={cmocka_unit_test(test_smoke)}; return cmocka_run_group_tests(t,NULL,NULL);}
