/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hypercall-table.c - looks calls up in the tables of the ABIs
 */
#include "domain/hypercall-table.h"
#include <string.h>

const struct abi *abi_find(const char *name)
{
	for (unsigned int i = 0; abis[i]; i++)
		if (!strcmp(abis[i]->name, name))
			return abis[i];
	return NULL;
}

/* Xen's handlers take the sub-operation as an int: the rest is ignored. */
static const struct hypercall_row *find_sub(const struct hypercall_row *row, uint32_t sub)
{
	for (unsigned int i = 0; i < row->nr_subs; i++)
		if (row->subs[i].nr == sub)
			return &row->subs[i];
	return NULL;
}

static const struct hypercall_row *find_call(const struct abi *abi, unsigned int nr)
{
	if (nr >= NR_HYPERCALLS || !abi->calls[nr].name)
		return NULL;
	return &abi->calls[nr];
}

const struct hypercall_row *abi_row(const struct abi *abi, unsigned int nr, uint64_t sub)
{
	const struct hypercall_row *row = find_call(abi, nr);
	const struct hypercall_row *found = row ? find_sub(row, sub) : NULL;

	return found ? found : row;
}

char *abi_call_name(const struct abi *abi, unsigned int nr, uint64_t sub)
{
	const struct hypercall_row *row = find_call(abi, nr);
	const struct hypercall_row *found;

	if (!row)
		return g_strdup_printf("hypercall %u", nr);
	if (!row->nr_subs)
		return g_strdup(row->name);
	found = find_sub(row, sub);
	if (!found)
		return g_strdup_printf("%s(%u)", row->name, (uint32_t)sub);
	return g_strdup_printf("%s(%s)", row->name, found->name);
}
