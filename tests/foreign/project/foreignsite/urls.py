from django.urls import path

from exports_project.urls import *
from exports_project.urls import urlpatterns
from shop.views import stamp

urlpatterns = [path("shop/stamp", stamp), *urlpatterns]
