# SPDX-License-Identifier: MIT
"""What the system tests share: programs, processes, sites, clients, web servers."""
