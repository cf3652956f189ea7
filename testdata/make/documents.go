package main

// document is one sample: where it goes in the inbox and what is in it.
type document struct {
	path string // relative to the inbox, with slashes
	make func() ([]byte, error)
}

// documents lists the samples made by Go alone. What is awkward about each is
// told in testdata/README.md.
func documents() []document {
	return []document{
		{"invoice-2041.pdf", pdfFile(pdf{title: "Invoice 2041", pages: []pdfPage{a4(invoice2041)}})},
		{"archive/2025/copy of invoice-2041.pdf", pdfFile(pdf{title: "Invoice 2041", pages: []pdfPage{a4(invoice2041)}})},
		{"SCAN0001.PDF", pdfFile(pdf{title: "Service", deflate: true, pages: []pdfPage{
			a4(serviceContract1), a4(serviceContract2), a4(serviceContract3),
		}})},
		{"Factura número 7.pdf", pdfFile(pdf{title: "Factura 7", lang: "es", deflate: true, pages: []pdfPage{a4(factura7)}})},
		{"january/statement.pdf", pdfFile(pdf{title: "January", deflate: true, show: kernedText, pages: []pdfPage{a4(invoiceJanuary)}})},
		{"february/statement.pdf", pdfFile(pdf{title: "February", show: hexText, pages: []pdfPage{a4(invoiceFebruary)}})},
		{"agreement.docx.pdf", signedPDF},
		{"scanner/2026-03-14 0007", scannedPDF},
		{"عقد.pdf", pdfFile(pdf{title: "Lease", deflate: true, show: hexText, pages: []pdfPage{a4(lease)}})},
		{longName + ".pdf", pdfFile(pdf{title: "Minutes", deflate: true, pages: []pdfPage{a4(minutes)}})},

		{" till  slip .png", pngFile(receiptTill, 320, tEXt("Description", plainText(receiptTill)))},
		{"scan of a bill.jpg", pngFile(invoiceBill, 480, iTXt("Description", "en", plainText(invoiceBill)))},
		{"menu", pngFile(menu, 400)},

		{"phone/IMG_0001.JPG", jpegFile(gray(drawRows(receiptParking, 200)), 40)},
		{"camera/IMG_0001.JPG", jpegFile(drawLighthouse(320, 240), 60, exifSegment())},
		{"recibo café.jpeg", jpegFile(gray(drawRows(reciboCafe, 320)), 45, comment(plainText(reciboCafe)))},

		{"-rf.gif", gifFile(invoiceGIF, 480)},
		{"Map of the harbour.gif", mapGIF},

		{"契約書.bmp", bmpFile(toPaletted(drawRows(supplyContract, 480)), 1, plainText(supplyContract))},
		{"tide table.final.v2.bmp", bmpFile(toPaletted(drawTide(240, 160)), 4, "")},

		{"領収書 0042.webp", webpReceipt},
	}
}

// longName is legal everywhere, but with its extension, at 149 bytes, longer
// than any column of a report and than the 143 that an encrypted home directory
// allows.
const longName = "Minutes of the annual general meeting of the residents of Example Court, all items, as approved, with corrections, read by everybody - 2026-02-14"
