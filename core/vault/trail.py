"""The audit trail for people: what the window, the command line and the API call. Searched, exported, and reviewed."""

from core.vault.trail_export import Exported as Exported
from core.vault.trail_export import export as export
from core.vault.trail_review import Reviewed as Reviewed
from core.vault.trail_review import TrailReview as TrailReview
from core.vault.trail_review import review as review
from core.vault.trail_review import reviews as reviews
from core.vault.trail_review import unreviewed as unreviewed
from core.vault.trail_search import TrailPage as TrailPage
from core.vault.trail_search import TrailQuery as TrailQuery
from core.vault.trail_search import acts_of as acts_of
from core.vault.trail_search import fields as fields
from core.vault.trail_search import recorded_in as recorded_in
from core.vault.trail_search import search as search
