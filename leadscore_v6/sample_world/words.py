"""The invented vocabulary: places, names, titles. No person, firm or address is meant.

Belongs here: constants. Does not belong here: code that draws from them.
Places are real metropolitan areas with their rough coordinates and first ZIP digits, so that leading zeros occur
(New England, New Jersey) and R7 has something to mend.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Place(NamedTuple):
    """One city: where an office or a home can be. `weight` is its share of advisors, unnormalised."""

    city: str
    county: str
    state: str
    metro: str
    zip_base: int
    latitude: float
    longitude: float
    weight: float


NEW_YORK: Final = "New York-Newark-Jersey City NY-NJ-PA"
LOS_ANGELES: Final = "Los Angeles-Long Beach-Anaheim CA"
NEVER_SEEN: Final = "GU"
MIAMI: Final = "Miami-Fort Lauderdale-West Palm Beach FL"

PLACES: Final[tuple[Place, ...]] = tuple(
    Place(*fields)
    for fields in (
        ("New York", "New York", "NY", NEW_YORK, 10001, 40.75, -73.99, 9.0),
        ("Garden City", "Nassau", "NY", NEW_YORK, 11530, 40.73, -73.64, 2.5),
        ("Jersey City", "Hudson", "NJ", NEW_YORK, 7302, 40.72, -74.05, 2.5),
        ("Los Angeles", "Los Angeles", "CA", LOS_ANGELES, 90017, 34.05, -118.26, 4.5),
        ("Irvine", "Orange", "CA", LOS_ANGELES, 92614, 33.68, -117.83, 3.0),
        ("Miami", "Miami-Dade", "FL", MIAMI, 33131, 25.77, -80.19, 2.6),
        ("Boca Raton", "Palm Beach", "FL", MIAMI, 33431, 26.37, -80.10, 2.4),
        ("Chicago", "Cook", "IL", "Chicago-Naperville-Elgin IL-IN-WI", 60606, 41.88, -87.64, 4.6),
        ("Boston", "Suffolk", "MA", "Boston-Cambridge-Newton MA-NH", 2110, 42.36, -71.05, 3.4),
        ("Portsmouth", "Rockingham", "NH", "Boston-Cambridge-Newton MA-NH", 3801, 43.08, -70.76, 0.6),
        ("San Francisco", "San Francisco", "CA", "San Francisco-Oakland-Berkeley CA", 94104, 37.79, -122.40, 3.2),
        ("Dallas", "Dallas", "TX", "Dallas-Fort Worth-Arlington TX", 75201, 32.79, -96.80, 3.8),
        ("Houston", "Harris", "TX", "Houston-The Woodlands-Sugar Land TX", 77002, 29.76, -95.36, 3.0),
        ("Atlanta", "Fulton", "GA", "Atlanta-Sandy Springs-Alpharetta GA", 30309, 33.80, -84.39, 3.0),
        ("Philadelphia", "Philadelphia", "PA", "Philadelphia-Camden-Wilmington PA-NJ-DE-MD", 19103, 39.95, -75.17, 3.0),
        ("Washington", "Washington", "DC", "Washington-Arlington-Alexandria DC-VA-MD-WV", 20006, 38.90, -77.04, 1.2),
        ("Bethesda", "Montgomery", "MD", "Washington-Arlington-Alexandria DC-VA-MD-WV", 20814, 38.99, -77.10, 1.3),
        ("Minneapolis", "Hennepin", "MN", "Minneapolis-St. Paul-Bloomington MN-WI", 55402, 44.98, -93.27, 3.0),
        ("St. Louis", "St. Louis City", "MO", "St. Louis MO-IL", 63101, 38.63, -90.19, 2.6),
        ("Denver", "Denver", "CO", "Denver-Aurora-Lakewood CO", 80202, 39.75, -105.00, 2.4),
        ("Phoenix", "Maricopa", "AZ", "Phoenix-Mesa-Chandler AZ", 85004, 33.45, -112.07, 2.2),
        ("Seattle", "King", "WA", "Seattle-Tacoma-Bellevue WA", 98101, 47.61, -122.34, 2.0),
        ("Charlotte", "Mecklenburg", "NC", "Charlotte-Concord-Gastonia NC-SC", 28202, 35.23, -80.85, 2.0),
        ("Tampa", "Hillsborough", "FL", "Tampa-St. Petersburg-Clearwater FL", 33602, 27.95, -82.46, 2.0),
        ("Detroit", "Wayne", "MI", "Detroit-Warren-Dearborn MI", 48226, 42.33, -83.05, 2.0),
        ("Hartford", "Hartford", "CT", "Hartford-East Hartford-Middletown CT", 6103, 41.77, -72.68, 1.4),
        ("Stamford", "Fairfield", "CT", "Bridgeport-Stamford-Norwalk CT", 6901, 41.05, -73.54, 1.4),
        ("Providence", "Providence", "RI", "Providence-Warwick RI-MA", 2903, 41.82, -71.41, 0.7),
        ("Burlington", "Chittenden", "VT", "Burlington-South Burlington VT", 5401, 44.48, -73.21, 0.3),
        ("Portland", "Cumberland", "ME", "Portland-South Portland ME", 4101, 43.66, -70.26, 0.4),
        ("Columbus", "Franklin", "OH", "Columbus OH", 43215, 39.96, -83.00, 1.6),
        ("Cincinnati", "Hamilton", "OH", "Cincinnati OH-KY-IN", 45202, 39.10, -84.51, 1.5),
        ("Indianapolis", "Marion", "IN", "Indianapolis-Carmel-Anderson IN", 46204, 39.77, -86.16, 1.4),
        ("Milwaukee", "Milwaukee", "WI", "Milwaukee-Waukesha WI", 53202, 43.04, -87.91, 1.4),
        ("Kansas City", "Jackson", "MO", "Kansas City MO-KS", 64106, 39.10, -94.58, 1.3),
        ("Omaha", "Douglas", "NE", "Omaha-Council Bluffs NE-IA", 68102, 41.26, -95.93, 0.9),
        ("Des Moines", "Polk", "IA", "Des Moines-West Des Moines IA", 50309, 41.59, -93.62, 0.9),
        ("Nashville", "Davidson", "TN", "Nashville-Davidson TN", 37203, 36.16, -86.79, 1.2),
        ("Richmond", "Richmond City", "VA", "Richmond VA", 23219, 37.54, -77.43, 1.0),
        ("New Orleans", "Orleans", "LA", "New Orleans-Metairie LA", 70112, 29.95, -90.08, 0.8),
        ("Birmingham", "Jefferson", "AL", "Birmingham-Hoover AL", 35203, 33.52, -86.81, 0.8),
        ("Louisville", "Jefferson", "KY", "Louisville/Jefferson County KY-IN", 40202, 38.25, -85.76, 0.8),
        ("Oklahoma City", "Oklahoma", "OK", "Oklahoma City OK", 73102, 35.47, -97.52, 0.7),
        ("Salt Lake City", "Salt Lake", "UT", "Salt Lake City UT", 84101, 40.76, -111.90, 0.9),
        ("Las Vegas", "Clark", "NV", "Las Vegas-Henderson-Paradise NV", 89101, 36.17, -115.14, 0.7),
        ("Portland", "Multnomah", "OR", "Portland-Vancouver-Hillsboro OR-WA", 97204, 45.52, -122.68, 1.0),
        ("Charleston", "Charleston", "SC", "Charleston-North Charleston SC", 29401, 32.78, -79.94, 0.7),
        ("Little Rock", "Pulaski", "AR", "Little Rock-North Little Rock-Conway AR", 72201, 34.75, -92.29, 0.4),
        ("Jackson", "Hinds", "MS", "Jackson MS", 39201, 32.30, -90.18, 0.3),
        ("Albuquerque", "Bernalillo", "NM", "Albuquerque NM", 87102, 35.08, -106.65, 0.4),
        ("Wilmington", "New Castle", "DE", "Philadelphia-Camden-Wilmington PA-NJ-DE-MD", 19801, 39.74, -75.55, 0.5),
        ("Boise", "Ada", "ID", "Boise City ID", 83702, 43.62, -116.20, 0.4),
        ("Fargo", "Cass", "ND", "Fargo ND-MN", 58102, 46.88, -96.79, 0.2),
        ("Honolulu", "Honolulu", "HI", "Urban Honolulu HI", 96813, 21.31, -157.86, 0.3),
        ("San Juan", "San Juan", "PR", "San Juan-Bayamón-Caguas PR", 901, 18.47, -66.11, 0.2),
        # Weight 0: nobody is there before a drift moves offices to it (drift.py), and no draw is changed by it.
        ("Tamuning", "Guam", NEVER_SEEN, "Guam", 96913, 13.49, 144.78, 0.0),
    )
)

FIRST_NAMES: Final = tuple(
    "James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph "
    "Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Margaret "
    "Donald Ashley Steven Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa "
    "George Deborah Timothy Stephanie Ronald Rebecca Jason Sharon Edward Laura Jeffrey Cynthia Ryan Dorothy Jacob "
    "Amy Gary Kathleen Nicholas Angela Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott "
    "Anna Brandon Samantha Benjamin Katherine Samuel Christine Gregory Helen José Zoë André Inés Siobhán Jürgen".split()
)
LAST_NAMES: Final = tuple(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson "
    "Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell "
    "Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris "
    "Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward "
    "Richardson Watson Brooks Chavez Wood Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers "
    "Long Ross Foster Jimenez O'Brien Müller Peña Nuñez Lefèvre Sørensen Smith-Jones".split()
)
SUFFIXES: Final = ("Jr.", "Sr.", "II", "III")
FIRM_TRADES: Final = (
    "Wealth Management, LLC",
    "Capital Advisors, LLC",
    "Financial Group, Inc.",
    "Investment Advisors LLC",
    "Asset Management, LP",
    "Financial Planning",
    "Advisory Services, Inc.",
    "Wealth Partners, LLC",
    "Securities LLC",
    "Retirement Advisors, Inc.",
    "Private Wealth",
    "Investment Counsel, Inc.",
)
TITLES: Final = (
    "Financial Advisor",
    "Wealth Advisor",
    "Investment Adviser Representative",
    "Vice President",
    "Senior Vice President, Investments",
    "Managing Director",
    "President",
    "Partner",
    "Portfolio Manager",
    "Registered Representative",
    "Financial Planner",
    "Owner, Chief Compliance Officer",
    "Associate Advisor",
    "Agent",
)
TITLE_CATEGORIES: Final = tuple(
    """
    Advisor Agent Analyst Associate Board BranchManager ChiefExecutive ChiefFinancial ChiefInvestment
    ChiefCompliance ChiefOperating Consultant Counsel Director Founder Manager Marketing Operations Partner
    Planner PortfolioManager President VicePresident
    """.split()
)
SCHOOLS: Final = tuple(
    f"{kind} {name}"
    for kind in ("University of", "College of", "State University of")
    for name in "Northfield Lakemont Harrowbay Cedarridge Eastbrook Pinehurst Millford Stonebridge Ashgrove".split()
)
NOTES: Final = (
    "Prefers e-mail.",
    "Met at conference; asked about succession, transition support.",
    "Left voicemail.\nCall back after quarter end.",
    'Goes by "Skip", works from home on Fridays.',
)
STREETS: Final = tuple(
    f"{name} {kind}"
    for kind in ("Street", "Avenue")
    for name in "Main Oak Market Park Lake First Summit Harbor".split()
)
LEAD_SOURCES: Final = ("Bought List", "LinkedIn Outreach", "Referral", "Event", "Website")
