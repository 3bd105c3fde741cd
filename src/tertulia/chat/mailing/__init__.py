"""Mail to people: whom to, what it says, and handing it over without anybody waiting."""
