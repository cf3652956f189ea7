package main

var minutes = []row{
	{band, "Minutes", "14 February 2026"},
	{gap, "", ""},
	{strong, "Residents of Example Court, annual meeting", ""},
	{text, "Present: nine of twelve households.", ""},
	{gap, "", ""},
	{text, "1. The gutter leaks again. A roofer will look at it.", ""},
	{text, "2. The hedge is to be cut before the birds nest.", ""},
	{text, "3. The summer party is on the last Saturday of June.", ""},
	{gap, "", ""},
	{text, "Closed at 20:45.", ""},
}

var menu = []row{
	{gap, "", ""},
	{loud, "THE EXAMPLE INN", ""},
	{centre, "Dish of the day", ""},
	{dashes, "", ""},
	{centre, "Leek soup", ""},
	{gap, "", ""},
	{centre, "Trout with almonds", ""},
	{centre, "or mushroom pie", ""},
	{gap, "", ""},
	{centre, "Apple tart", ""},
	{dashes, "", ""},
	{centre, "served from noon", ""},
	{gap, "", ""},
}

var letter = []string{
	"Zürich, 8 March 2026",
	"",
	"Dear all at Example Court,",
	"",
	"greetings from the lake. The snow is gone from the lower hills,",
	"the boats run again, and the chestnut sellers have given way to",
	"ice cream. We have walked a good deal and understood about half",
	"of what people said to us.",
	"",
	"Please water the ferns. We are back on the twentieth.",
	"",
	"Grüße,",
	"your neighbours from number nine",
}
