-- Recipes and templates once, however many orders were accepted with them: an order's rows stay short, for they are
-- written anew at each state. A form is never changed nor removed; it holds nothing of a customer.

CREATE TABLE forms (
    n    INTEGER PRIMARY KEY,
    body TEXT NOT NULL UNIQUE         -- JSON
);
INSERT INTO forms (body) SELECT recipe FROM orders UNION SELECT template FROM steps WHERE template IS NOT NULL;

ALTER TABLE orders ADD COLUMN recipe_form INTEGER REFERENCES forms (n);     -- the scene as it was when accepted
UPDATE orders SET recipe_form = (SELECT n FROM forms WHERE body = recipe);
ALTER TABLE orders DROP COLUMN recipe;

ALTER TABLE steps ADD COLUMN template_form INTEGER REFERENCES forms (n);    -- what it prints, as accepted with the order
UPDATE steps SET template_form = (SELECT n FROM forms WHERE body = template);
ALTER TABLE steps DROP COLUMN template;
