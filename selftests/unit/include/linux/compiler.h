/* SPDX-License-Identifier: GPL-2.0 */
/* What the sources under test use of the kernel's <linux/compiler.h>. */
#ifndef _UNIT_COMPILER_H
#define _UNIT_COMPILER_H

#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

#endif /* _UNIT_COMPILER_H */
