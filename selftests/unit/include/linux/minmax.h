/* SPDX-License-Identifier: GPL-2.0 */
#define min_t(type, a, b)            \
	({                           \
		type _a = (a);       \
		type _b = (b);       \
		_a < _b ? _a : _b;   \
	})
