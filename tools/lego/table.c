// SPDX-License-Identifier: GPL-2.0
/*
 * Columns as wide as their widest cell.
 */
#include <stdlib.h>
#include <string.h>

#include "lego.h"

/**
 * table_add() - add a row; the first is the heading
 */
void table_add(struct table *table, const char *const *cells, size_t nr)
{
	char *(*row)[TABLE_COLUMNS];

	if (nr > TABLE_COLUMNS)
		abort();
	row = reallocarray(table->row, table->nr_rows + 1, sizeof(*row));
	if (!row)
		abort();
	table->row = row;
	if (nr > table->nr_columns)
		table->nr_columns = nr;
	memset(row[table->nr_rows], 0, sizeof(*row));
	for (size_t i = 0; i < nr; i++) {
		row[table->nr_rows][i] = strdup(cells[i]);
		if (!row[table->nr_rows][i])
			abort();
	}
	table->nr_rows++;
}

void table_print(const struct table *table, FILE *out)
{
	size_t width[TABLE_COLUMNS] = { 0 };

	for (size_t r = 0; r < table->nr_rows; r++)
		for (size_t c = 0; c < table->nr_columns; c++)
			if (strlen(table->row[r][c]) > width[c])
				width[c] = strlen(table->row[r][c]);

	for (size_t r = 0; r < table->nr_rows; r++) {
		for (size_t c = 0; c + 1 < table->nr_columns; c++)
			fprintf(out, "%-*s  ", (int)width[c],
				table->row[r][c]);
		fprintf(out, "%s\n", table->row[r][table->nr_columns - 1]);
	}
}

void table_free(struct table *table)
{
	for (size_t r = 0; r < table->nr_rows; r++)
		for (size_t c = 0; c < table->nr_columns; c++)
			free(table->row[r][c]);
	free(table->row);
}
