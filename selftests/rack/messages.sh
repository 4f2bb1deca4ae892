#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
. "$(dirname "$0")/../single/messages.sh"
