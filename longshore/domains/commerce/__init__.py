"""The commerce domain: a shop with orders, customers, payments and stock."""
