# SPDX-License-Identifier: GPL-2.0
# `make help` says what there is.

# A kernel of the cache (6.1, 6.12, debug), or with KDIR= any kernel's build
# directory, as /lib/modules/$(uname -r)/build.
KERNEL ?= 6.1
KDIR ?=
MODULES := lite_rpc gmgr mcomp scomp pcomp
# Not for servers: KDIR= builds what is installed.
TEST_MODULES := $(if $(KDIR),,lego_load lego_lmr lego_lock lego_fuzz \
	lego_nodes)

export LEGO_CACHE ?= $(HOME)/.cache/lego
# The login shell's PATH of a minimal system may lack them.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

top := $(CURDIR)
# Modules are built in a tree of links, one for each kernel.
BUILD ?= $(top)/build/$(if $(KDIR),kdir,$(KERNEL))
# For kbuild. Servers have other compilers, whose new warnings stop nobody.
KFLAGS ?= $(if $(KDIR),,W=1 KCFLAGS=-Werror KDOC_WERROR=1)
kbuild = $(if $(KDIR),$(KDIR),$(LEGO_CACHE)/kernels/$(KERNEL)/build)
# BTF needs pahole, which the packages of the cache's kernels only depend on. With
# DWARF all modules are 39 MB instead of 2, and each VM of a rack reads them.
no_debug = $(if $(KDIR),,CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_DEBUG_INFO=)
jobs := $(shell nproc)

.PHONY: all modules tools setup setup-server check bench soak demo install uninstall headers \
	debug-kernel kernel clean help

all: modules tools

kernel:
ifeq ($(KDIR),)
	@tools/rack/kernels $(KERNEL) > /dev/null
endif

modules: kernel
	@mkdir -p $(BUILD)
	@find $(BUILD) -xtype l -delete
	@cp -rsf $(MODULES:%=$(top)/%) $(TEST_MODULES:%=$(top)/selftests/module/%) \
		$(top)/selftests/module/words.h $(top)/Kbuild $(top)/include \
		$(BUILD)/
	+@flock $(BUILD) $(MAKE) -j$(jobs) -C $(kbuild) M=$(BUILD) \
		LEGO_MODULES="$(MODULES) $(TEST_MODULES)" $(no_debug) $(KFLAGS) modules

tools:
	+@mkdir -p build && flock build $(MAKE) -C tools OUT=$(top)/build/tools

setup:
	@tools/rack/setup $(KERNEL)

setup-server:
	@tools/rack/setup server

check:
	@tools/rack/setup $(KERNEL) 6.12 checkpatch
	+@$(MAKE) all
	@selftests/run --kernel $(KERNEL) $(T)

bench: setup
	+@$(MAKE) all
	@selftests/bench/run --kernel $(KERNEL) $(B)

soak: setup
	+@$(MAKE) all
	@selftests/soak/run --kernel $(KERNEL) $(S)

demo: setup
	+@$(MAKE) all
	@tools/rack/demo --kernel $(KERNEL)

debug-kernel:
	@tools/rack/setup debug

# For the running kernel, or that of KDIR=.
ifeq ($(KDIR),)
install uninstall:
	+@$(MAKE) --no-print-directory $@ KDIR=/lib/modules/$$(uname -r)/build
else
# What `make kernelrelease` says is not what Debian calls its kernels.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
depmod = depmod $(if $(DESTDIR),-b $(DESTDIR)) $(release)

# Debian's kernels want modules signed as they are installed, but their headers
# have no key for that: an "SSL error" for each.
unsigned = $(if $(wildcard $(KDIR)/certs/signing_key.*),,CONFIG_MODULE_SIG_ALL=)

install: headers all
	$(MAKE) -C $(KDIR) M=$(BUILD) INSTALL_MOD_PATH=$(DESTDIR) $(unsigned) \
		modules_install
	$(MAKE) -C tools OUT=$(top)/build/tools install
	$(depmod)

uninstall: headers
	$(MAKE) -C tools uninstall
	rm -f $(foreach m,$(MODULES),\
		$(DESTDIR)/lib/modules/$(release)/*/$(m)/$(m).ko*)
	$(depmod)

headers:
	@[ -f $(KDIR)/Makefile ] || { echo >&2 "no kernel headers in $(KDIR):" \
		"install linux-headers-$$(uname -r) or give KDIR="; exit 1; }
endif

clean:
	rm -rf build

help:
	@echo 'make               modules and tools, in build/'
	@echo 'make setup         install the Debian packages and fetch the'
	@echo '                   kernels that are missing'
	@echo 'make setup-server  on a server: the packages that make install needs'
	@echo 'make demo          a rack in virtual machines runs three programs'
	@echo 'make check         all tests, in virtual racks; T=NAME for one'
	@echo 'make bench         costs beside their peers; B=NAME for one'
	@echo 'make soak          tests that take their time; S=NAME for one'
	@echo 'make install       modules and tools on this server, for the kernel'
	@echo '                   that runs, or that of KDIR='
	@echo 'make uninstall     the contrary'
	@echo 'make debug-kernel  a kernel with KASAN, lockdep, kmemleak...: for'
	@echo '                   KERNEL=debug; about 15 minutes, once'
	@echo 'make clean         remove build/'
	@echo
	@echo 'KERNEL=6.1|6.12|debug  which kernel (6.1), for all of the above'
	@echo 'KDIR=DIR               build against this kernel instead'
	@echo 'T=NAME                 make check: only this test'
	@echo 'LEGO_CACHE=DIR         kernels and images (~/.cache/lego)'
