#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 400
. "$(dirname "$0")/../single/messages.sh"
