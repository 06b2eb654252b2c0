"""First names by which the portraits are sorted into women and men, as labels for a classifier of faces."""

from typing import Final

WOMEN: Final = frozenset(
    {
        "Alicia", "Alison", "Amanda", "Amelie", "Ana", "Angela", "Angelina", "Anita", "Anna", "Anne",
        "Annette", "Ashley", "Barbara", "Beth", "Beyonce", "Brenda", "Bridget", "Britney", "Brooke",
        "Carla", "Carmen", "Carol", "Carolina", "Caroline", "Cate", "Catherine", "Celine", "Chanda",
        "Charlotte", "Christina", "Cindy", "Claire", "Claudia", "Condoleezza", "Courtney", "Cynthia",
        "Daniela", "Debra", "Demi", "Diana", "Dolores", "Donna", "Dorothy", "Elena", "Elisabeth",
        "Elizabeth", "Ellen", "Emily", "Emma", "Erika", "Erin", "Eva", "Faye", "Fernanda", "Gabriela",
        "Gina", "Ginny", "Gloria", "Grace", "Gwyneth", "Halle", "Heather", "Helen", "Hillary", "Irene",
        "Isabel", "Isabella", "Jacqueline", "Jane", "Janet", "Janica", "Jeanne", "Jelena", "Jenna",
        "Jennifer", "Jessica", "Jill", "Joan", "Joanna", "Jodie", "Judi", "Julia", "Julianne", "Julie",
        "Justine", "Kate", "Kathleen", "Kathryn", "Katie", "Keira", "Kelly", "Kim", "Kirsten", "Kristen",
        "Kristin", "Laila", "Lara", "Laura", "Linda", "Lindsay", "Lisa", "Liza", "Lori", "Lucy", "Lynn",
        "Madonna", "Magdalena", "Marcia", "Margaret", "Maria", "Mariah", "Marilyn", "Marina", "Marisa",
        "Martha", "Martina", "Mary", "Meg", "Megan", "Melissa", "Mia", "Michelle", "Milla", "Minnie",
        "Mira", "Mireya", "Monica", "Myriam", "Nadia", "Nancy", "Naomi", "Natalia", "Natalie", "Nia",
        "Nicole", "Noelle", "Norah", "Olivia", "Oprah", "Pamela", "Patricia", "Patty", "Paula", "Penelope",
        "Petra", "Pilar", "Priscilla", "Queen", "Rachel", "Rebecca", "Reese", "Renee", "Rita", "Rosa",
        "Roseanne", "Ruth", "Sally", "Salma", "Sandra", "Sarah", "Selma", "Serena", "Shakira", "Shania",
        "Sharon", "Sheila", "Sheryl", "Sigourney", "Silvia", "Sofia", "Sonia", "Sophia", "Steffi",
        "Stephanie", "Sue", "Susan", "Tara", "Tatiana", "Teresa", "Thalia", "Tina", "Tonya", "Tori",
        "Tracy", "Uma", "Valentina", "Vanessa", "Venus", "Victoria", "Virginia", "Vivica", "Wendy",
        "Whitney", "Winona", "Yoko", "Yolanda", "Zoe",
    }
)  # fmt: skip
MEN: Final = frozenset(
    {
        "Abdullah", "Adam", "Albert", "Alex", "Ali", "Alvaro", "Andre", "Andrew", "Anthony", "Arthur",
        "Ben", "Benjamin", "Bill", "Billy", "Bob", "Brad", "Brian", "Bruce", "Carl", "Carlos", "Charles",
        "Colin", "Dan", "David", "Dennis", "Donald", "Douglas", "Edward", "Eric", "Felipe", "Fernando",
        "Frank", "Fred", "Gary", "George", "Gerald", "Gerhard", "Greg", "Gregory", "Guillermo", "Hamid",
        "Hans", "Harold", "Harry", "Henry", "Hugo", "Igor", "Jack", "James", "Jason", "Javier", "Jean",
        "Jeff", "Jeffrey", "Jerry", "Jim", "Joe", "John", "Jonathan", "Jorge", "Jose", "Joseph", "Joshua",
        "Juan", "Justin", "Keith", "Kenneth", "Kevin", "Kofi", "Larry", "Lawrence", "Luis", "Mark",
        "Martin", "Michael", "Mike", "Mohammad", "Mohammed", "Nicholas", "Patrick", "Paul", "Pedro", "Pete",
        "Peter", "Ralph", "Ray", "Raymond", "Ricardo", "Richard", "Rick", "Rob", "Robert", "Roberto",
        "Roger", "Ron", "Ronald", "Roy", "Ryan", "Saddam", "Samuel", "Scott", "Sergei", "Stephen", "Steve",
        "Steven", "Terry", "Thomas", "Tim", "Timothy", "Tom", "Tommy", "Tony", "Vicente", "Vladimir",
        "Walter", "Wayne", "William",
    }
)  # fmt: skip
